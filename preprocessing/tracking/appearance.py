"""Appearance: a few hundred numbers of a face by which a person is told from others of the same recording.

It compares colors of skin and hair, and where light and dark lie, in a coarse picture of the aligned face. It
is no face recognition: it holds within a recording only, and is made to say no rather than a wrong yes. How
bright the light is drops out, and its slope from left to right.
"""

from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.face import FloatArray, Frame
from preprocessing.faces.regions import crop_matrices, landmark_regions
from preprocessing.faces.topology import Topology

# All our choices, from drawn persons in a room and two real ones.
_SIDE, _CELLS = 64, 16
_TIGHT = 0.85  # of a region: the face, and of hair and chin what lies next to it
_CHROMA = 4.0  # weight of color against light
_FLOOR = 6.0  # gray levels, about the noise of a camera in the dark
_KEPT = 0.7  # share of cells that are compared: the others may be hidden by a hand
_DARK, _BRIGHT, _FULL, _BURNT = 25, 235, 253, 0.5


def _oval() -> NDArray[np.int64]:
    across = (np.arange(_CELLS) + 0.5) / _CELLS * 2 - 1
    return np.flatnonzero(across[:, None] ** 2 + across**2 <= 1)


def _leveling() -> FloatArray:
    """What takes the mean and the slope from left to right of the oval's light out of all cells' light."""
    across = (np.arange(_CELLS**2) % _CELLS + 0.5) / _CELLS * 2 - 1
    plane = np.stack([np.ones_like(across), across], axis=1)
    return np.asarray(plane @ np.linalg.pinv(plane[_INSIDE]), dtype=np.float32)


def _moved() -> list[NDArray[np.int64]]:
    """The oval's cells, and those that lie a cell beside them in the eight directions."""
    steps = sorted(product((-1, 0, 1), repeat=2), key=lambda step: step != (0, 0))
    rows, columns = np.divmod(_INSIDE, _CELLS)
    last = _CELLS - 1
    return [np.clip(rows + y, 0, last) * _CELLS + np.clip(columns + x, 0, last) for y, x in steps]


_INSIDE = _oval()
_LEVEL = _leveling()
_MOVED = _moved()


def appearance(frame: Frame, landmarks: FloatArray, topology: Topology) -> FloatArray | None:
    """Describe a face ``(3, C)`` by light and two colors of its cells; None where it is too dark or bright.

    Args:
        frame: The whole frame.
        landmarks: ``(P, 2 or 3)`` in its pixels.
        topology: Which landmark is which.
    """
    corners = (topology.right_eye[0], topology.left_eye[3])
    region = landmark_regions(landmarks, corners) * np.array([1, 1, _TIGHT, 1], np.float32)
    crop = cv2.warpAffine(
        frame,
        crop_matrices(region, _SIDE),
        (_SIDE, _SIDE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    middle = crop[_SIDE // 4 : -_SIDE // 4, _SIDE // 4 : -_SIDE // 4]
    full = middle >= _FULL
    burnt = (full[..., 0] | full[..., 1] | full[..., 2]).mean()
    if not _DARK < middle.mean() < _BRIGHT or burnt > _BURNT:
        return None
    cells = cv2.resize(crop, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    red, green, blue = np.log(cells.T.astype(np.float32) + np.float32(_FLOOR))
    light = (red + green + blue) / 3
    light -= _LEVEL @ light[_INSIDE]
    return np.stack([light, _CHROMA * (red - green), _CHROMA * (blue - green)])


def distances(one: FloatArray, other: FloatArray, *, moved: bool = False) -> FloatArray:
    """Distances ``(K, L)`` of descriptions ``(K, 3, C)`` and ``(L, 3, C)``, over the most similar cells.

    Args:
        one: Descriptions.
        other: Those that they are compared with.
        moved: Whether a face may lie a cell off, as where landmarks are late in a quick move.
    """
    kept = int(_KEPT * len(_INSIDE))
    here, nearest = one[..., _INSIDE], np.full((len(one), len(other)), np.inf, np.float32)
    for cells in _MOVED if moved else _MOVED[:1]:
        squares = ((here[:, None] - other[None][..., cells]) ** 2).sum(axis=2)
        means = np.partition(squares, kept - 1, axis=-1)[..., :kept].mean(axis=-1)
        nearest = np.minimum(nearest, np.sqrt(means))
    return nearest
