"""How far a head is turned, from landmarks alone and well enough to refuse a profile."""

import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.face import FloatArray
from preprocessing.faces.topology import Points, Topology

# How far the tip of the nose stands before the border of the face, in its half widths (the border of the 68
# points is the jaw, further in front), and before the line from eyes to mouth, in its length: measured
# on a few faces, our choice.
_NOSE_BY_WIDTH = {"mesh": 1.3, "ibug68": 0.9}
_NOSE_BY_HEIGHT = 0.55


def turned(landmarks: FloatArray, topology: Topology) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Yaw and pitch in radians ``(T,)``, by ``atan`` of how far the nose moved against what is behind it.

    Yaw is measured against the middle of the face's border, positive to the right in the picture. Pitch is
    relative to the median of all frames, positive downward: noses differ in length.

    Args:
        landmarks: ``(T, P, 2 or 3)``; frames of NaN give NaN.
        topology: Which landmark is which.
    """
    right = _complex(landmarks, topology.right_eye[::3]).mean(axis=1, keepdims=True)
    left = _complex(landmarks, topology.left_eye[::3]).mean(axis=1, keepdims=True)
    points = _complex(landmarks, (topology.nose[1], *topology.mouth[:2], *topology.oval))
    # eyes level, at -0.5 and 0.5: roll and size are gone
    with np.errstate(divide="ignore", invalid="ignore"):
        level = (points - (right + left) / 2) / (left - right)
        nose, mouth, border = level[:, 0], level[:, 1:3].mean(axis=1), level[:, 3:].real
        low, high = border.min(axis=1), border.max(axis=1)
        aside = (2 * nose.real - low - high) / (high - low)
        down = nose.imag / mouth.imag
    usual = np.nanmedian(down) if np.isfinite(down).any() else np.nan
    return np.arctan(aside / _NOSE_BY_WIDTH[topology.name]), np.arctan((down - usual) / _NOSE_BY_HEIGHT)


def _complex(landmarks: FloatArray, numbers: Points) -> NDArray[np.complex128]:
    places = landmarks[:, numbers, :2].astype(np.float64)
    return np.asarray(places[..., 0] + 1j * places[..., 1])
