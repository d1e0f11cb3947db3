"""Colors of a face freed from the light that falls on it."""

import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.face import FloatArray, Frame

_DARKEST = 8.0  # gray levels added before the logarithm: noise in the dark is no color
_SCALE = np.array([0.08, 0.05, 0.05], dtype=np.float32).reshape(3, 1, 1)  # of the Cauchy weights, our choice
_WIDE = (3.0, 3.0, 1.0, 1.0, 1.0)  # wide first, to find the plane, then narrow; our choice


def log_colors(thumbnails: Frame) -> FloatArray:
    """Lightness, red against green and blue against green ``(N, h, w, 3)``, as natural logarithms.

    Args:
        thumbnails: ``(N, h, w, 3 or more)``, red, green and blue first.
    """
    logs = np.log(thumbnails[..., :3].astype(np.float32) + _DARKEST)
    red, green, blue = np.moveaxis(logs, -1, 0)
    return np.stack([(red + green + blue) / 3, red - green, blue - green], axis=-1)


def without_light(difference: FloatArray, inside: NDArray[np.bool_]) -> FloatArray:
    """What remains of a difference to the typical look when light is taken away ``(N, P, 3)``.

    A brighter lamp adds the same to all logarithms, light from one side a slope, and a warmer one shifts the
    two colors. These are fitted by iteratively reweighted least squares with Cauchy weights, so that a thing
    before the face, which follows no such plane, hardly counts.

    Args:
        difference: Of `log_colors` ``(N, h, w, 3)``.
        inside: The `P` pixels that are looked at ``(h, w)``.
    """
    y, x = np.nonzero(inside)
    height, width = inside.shape
    plane = np.stack([np.ones(len(x)), 2 * x / width - 1, 2 * y / height - 1], axis=1).astype(np.float32)
    pairs = (plane[:, :, None] * plane[:, None, :]).reshape(len(x), 9)
    ridge = 1e-4 * len(x) * np.diag([0.0, 1.0, 1.0]).astype(np.float32)
    values = np.ascontiguousarray(np.moveaxis(difference[:, inside], -1, 0))
    rest = values - np.median(values, axis=2, keepdims=True)
    for wide in _WIDE:
        weight = 1 / (1 + np.sum((rest / (wide * _SCALE)) ** 2, axis=0))
        normal = (weight @ pairs).reshape(-1, 3, 3) + ridge
        slope = np.linalg.solve(normal, ((weight * values[0]) @ plane)[..., None])[..., 0]
        tint = np.sum(weight * values[1:], axis=2, keepdims=True) / weight.sum(axis=1)[:, None]
        np.subtract(values[0], slope @ plane.T, out=rest[0])
        np.subtract(values[1:], tint, out=rest[1:])
    return np.asarray(np.moveaxis(rest, 0, -1), dtype=np.float32)
