"""Crops: regions of a frame as a network wants to see them."""

import cv2
import numpy as np

from preprocessing.faces.face import Frame
from preprocessing.faces.regions import FloatArray, crop_matrices


def face_crop(
    frame: Frame, region: FloatArray, side: int, *, mirrored: bool = False, matrix: FloatArray | None = None
) -> Frame:
    """A turned region ``(side, side, 3)``, bilinear; what lies outside the frame repeats its border.

    A region of more than twice the side is first cut larger and then averaged, so that nothing is skipped.

    Args:
        frame: ``(H, W, 3)``.
        region: ``(4,)``.
        side: Of the crop, in pixels.
        mirrored: Whether left and right change places.
        matrix: That of `crop_matrices` for all of this, where it is known already.
    """
    times = max(1, int(region[2] / side))
    if matrix is None or times > 1:
        matrix = crop_matrices(region, side * times, mirrored)
    cut: Frame = cv2.warpAffine(
        frame, matrix, (side * times,) * 2, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cut if times == 1 else cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA)


def upright_crop(frame: Frame, region: FloatArray, side: int) -> Frame:
    """An upright region ``(side, side, 3)``, averaged over areas; black outside the frame."""
    height, width = frame.shape[:2]
    left, top = np.round(region[:2] - (region[2] - 1) / 2).astype(int)
    size = max(round(float(region[2])), 1)
    inside = frame[max(top, 0) : top + size, max(left, 0) : left + size]
    edges = np.array([max(top, 0), min(top + size, height), max(left, 0), min(left + size, width)])
    edges = np.round((edges - [top, top, left, left]) * side / size).astype(int)
    crop = np.zeros((side, side, 3), np.uint8)
    y0, y1, x0, x1 = (int(edge) for edge in edges)
    if y1 > y0 and x1 > x0:  # a frame of a few pixels, or a narrow one, may be less than one of the crop
        way = cv2.INTER_AREA if size > side else cv2.INTER_LINEAR
        crop[y0:y1, x0:x1] = cv2.resize(inside, (x1 - x0, y1 - y0), interpolation=way)
    return crop
