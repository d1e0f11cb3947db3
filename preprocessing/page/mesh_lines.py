"""Lines of a face: what is drawn of its landmarks."""

import cv2
import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.face import FloatArray, Frame
from preprocessing.faces.topology import Topology

_BITS = 4  # of a pixel's fraction, for OpenCV
_BOX = (0, 158, 115)
_LINES = (86, 180, 233)
_IRIS = (240, 228, 66)


def draw_box(picture: Frame, box: FloatArray) -> None:
    """Draw the box `left, top, right, bottom`, in pixels, onto a picture ``(H, W, 3)``, which is changed."""
    left, top, right, bottom = box
    _line(picture, np.array([(left, top), (right, top), (right, bottom), (left, bottom)]), True, _BOX)


def draw_mesh(picture: Frame, points: NDArray[np.floating], topology: Topology) -> None:
    """Draw oval, brows, eyes, nose, lips and irises onto a picture; what is NaN is left out.

    Args:
        picture: ``(H, W, 3)``, changed in place.
        points: Landmarks ``(P, 2)`` in its pixels.
        topology: Which is which.
    """
    right_corner, left_corner, upper, lower = topology.mouth
    closed = (
        topology.oval,
        topology.right_eye,
        topology.left_eye,
        (right_corner, topology.lips[0], left_corner, topology.lips[1]),
        (right_corner, upper, left_corner, lower),
    )
    for numbers in closed:
        _line(picture, points[list(numbers)], True, _LINES)
    for numbers in (topology.right_brow, topology.left_brow, topology.nose):
        _line(picture, points[list(numbers)], False, _LINES)
    for numbers in (topology.right_iris, topology.left_iris):
        _ring(picture, points[list(numbers)])


def _line(picture: Frame, points: NDArray[np.floating], closed: bool, color: tuple[int, int, int]) -> None:
    if np.isfinite(points).all():
        fixed = _fixed(points).reshape(-1, 1, 2)
        cv2.polylines(picture, [fixed], closed, color, 1, cv2.LINE_AA, _BITS)


def _ring(picture: Frame, points: NDArray[np.floating]) -> None:
    """A circle around the first point, as far away as the others are."""
    if not len(points) or not np.isfinite(points).all():
        return
    radius = float(np.linalg.norm(points[1:] - points[0], axis=1).mean())
    center = _fixed(points[0])
    size = int(_fixed(np.array([radius]))[0])
    cv2.circle(picture, (int(center[0]), int(center[1])), size, _IRIS, 1, cv2.LINE_AA, _BITS)


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    """Fixed-point numbers, within what OpenCV draws safely."""
    return np.clip(np.round(points * (1 << _BITS)), -(1 << 20), 1 << 20).astype(np.int32)
