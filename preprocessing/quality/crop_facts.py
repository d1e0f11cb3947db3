"""What is measured in one aligned crop while it is at hand."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.face import FloatArray, Frame
from preprocessing.quality.texture import WIDTH, texture

_FACE = 72  # width of the face where sharpness is measured: that of the smallest crop; our choice
_GRAY = 127.5  # mean that the face is brought to before
_WHITE = 250  # gray level from which on a camera, or a codec, tells no more differences; our choice


@dataclass(frozen=True, kw_only=True, eq=False)
class CropFacts:
    """Facts of one crop.

    Attributes:
        sharpness: variance of the Laplacian of the face at a fixed size, gray levels squared.
        luminance: mean of the face, 0 to 1.
        burnt: share of the face that is white, so that no detail is left in it.
        thumbnail: the unrolled face at a few pixels, to see what hides it; see `texture`.
    """

    sharpness: float
    luminance: float
    burnt: float
    thumbnail: Frame


def measure(crop: Frame, points: FloatArray) -> CropFacts:
    """Measure an aligned crop.

    Sharpness is that of a face 72 pixels wide and of middle gray on the average, so that neither the size of
    the crop nor the light decides: both would scale the Laplacian. A crop of 112 pixels has lost the finest
    lines, and a sharp face has about half of the sharpness there; a blurred one has the same.

    Args:
        crop: ``(S, S, 3)``.
        points: Landmarks in its pixels ``(P, 2)``, of one of the two topologies.

    Raises:
        ValueError: A landmark is not finite.
    """
    if not np.isfinite(points).all():
        raise ValueError("a landmark of this crop is not finite: only frames with a face have facts")
    outline = cv2.convexHull(points[:, :2].astype(np.float32)).reshape(-1, 2)
    width = max(float(np.ptp(outline[:, 0])), 1.0)
    gray, scale = _resized(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), _FACE / width)
    line = (outline + 0.5) * scale - 0.5
    face = _filled(line, len(gray))
    mean = cv2.mean(gray, face)[0]
    return CropFacts(
        sharpness=_sharpness(gray, line, mean),
        luminance=mean / 255,
        burnt=cv2.mean((gray >= _WHITE).astype(np.uint8), face)[0],
        thumbnail=_thumbnail(crop, points, width),
    )


def _resized(gray: NDArray[np.uint8], scale: float) -> tuple[NDArray[np.uint8], float]:
    """A square picture averaged to about `scale` times its size, and the exact factor."""
    side = max(round(len(gray) * scale), 8)
    small = cv2.resize(gray, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8), side / len(gray)


def _thumbnail(crop: Frame, points: FloatArray, width: float) -> Frame:
    """The texture, out of whole blocks of pixels that are averaged to about its own: that is fast."""
    block = min(max(round(width / (1.3 * WIDTH)), 1), len(crop))
    side = len(crop) // block
    part = crop[: side * block, : side * block]
    small = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)
    places = np.asarray((points[:, :2] + 0.5) / block - 0.5, dtype=np.float32)
    return texture(np.asarray(small, dtype=np.uint8), places)


def _filled(outline: FloatArray, side: int) -> NDArray[np.uint8]:
    fixed = np.rint(np.clip(outline, -side, 2 * side)).astype(np.int32)
    return np.asarray(cv2.fillPoly(np.zeros((side, side), np.uint8), [fixed], 1), dtype=np.uint8)


def _sharpness(gray: NDArray[np.uint8], outline: FloatArray, mean: float) -> float:
    """Variance of the Laplacian inside the outline, less its rim, whose edge is that of the face itself."""
    middle = outline.mean(axis=0)
    inner = _filled(middle + 0.8 * (outline - middle), len(gray)) > 0
    bright = gray.astype(np.float32) * (_GRAY / max(mean, 1.0))
    values = cv2.Laplacian(bright, cv2.CV_32F)[inner]
    return float(values.var()) if values.size else 0.0
