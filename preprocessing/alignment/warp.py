"""Cutting a crop out of a frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.face import FloatArray, Frame

_GRAY = 128
_ENLARGED = 1.03  # the oval reaches a little beyond its landmarks; our choice


def cut(frame: Frame, matrix: NDArray[np.float64], size: int) -> Frame:
    """Warp a frame to ``(size, size, 3)`` by a matrix ``(2, 3)`` from its pixels to those of the crop.

    Bilinear. Where the frame has 1.5 pixels or more for each pixel of the crop, whole blocks of them are
    averaged first, so that fine texture does not alias.
    """
    block = round(1 / float(np.hypot(matrix[0, 0], matrix[1, 0])))
    if block > 1:
        frame, matrix = _averaged(frame, matrix, size, block)
    return np.asarray(cv2.warpAffine(frame, matrix, (size, size), flags=cv2.INTER_LINEAR), dtype=np.uint8)


def _averaged(
    frame: Frame, matrix: NDArray[np.float64], size: int, block: int
) -> tuple[Frame, NDArray[np.float64]]:
    """What the crop needs of the frame, averaged over square blocks, and the matrix from there."""
    end = size - 1
    corners = np.array([[0, 0, 1], [end, 0, 1], [0, end, 1], [end, end, 1]])
    seen = corners @ cv2.invertAffineTransform(matrix).T
    limit = np.array(frame.shape[1::-1])
    low = np.clip(np.floor(seen.min(axis=0)).astype(int) - block, 0, limit - 1)
    high = np.clip(np.ceil(seen.max(axis=0)).astype(int) + block + 1, low + 1, limit)
    part = frame[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])]
    count = -(-(high - low) // block)
    x, y = (int(one) for one in count * block - (high - low))
    if x or y:  # the last blocks reach beyond the frame
        part = cv2.copyMakeBorder(part, 0, y, 0, x, cv2.BORDER_REPLICATE)
    small = cv2.resize(part, (int(count[0]), int(count[1])), interpolation=cv2.INTER_AREA)
    # the center of the first block lies (block - 1) / 2 pixels inside
    shift = low + (block - 1) / 2
    moved = np.array([[block, 0, shift[0]], [0, block, shift[1]], [0, 0, 1]], dtype=np.float64)
    return np.asarray(small, dtype=np.uint8), matrix @ moved


def keep_oval(crop: Frame, oval: FloatArray) -> Frame:
    """Make everything outside a closed line of landmarks ``(N, 2)``, slightly enlarged, one gray.

    All of it becomes gray where the line is unknown (NaN).
    """
    gray = np.full_like(crop, _GRAY)
    if not np.isfinite(oval).all():
        return gray
    middle = oval.mean(axis=0)
    line = np.rint(middle + _ENLARGED * (oval - middle)).astype(np.int32)
    inside = cv2.fillPoly(np.zeros(crop.shape[:2], np.uint8), [line], 1)
    cv2.copyTo(crop, inside, gray)
    return gray
