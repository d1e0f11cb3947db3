"""Regions: the turned squares of a frame that networks look at.

A region is ``(..., 4)``: x and y of its center in pixels, its side in pixels, and the angle in radians by
which its upper edge is turned clockwise from the frame's. All functions take any number of regions at once,
in an array with leading axes.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
# Scales and points of the published graphs of MediaPipe (Apache-2.0).
_FACE_SCALE, _EYE_SCALE = 1.5, 2.3
_DETECTED_EYES = (0, 1)  # keypoints: the person's right eye, left eye
OUTER_CORNERS = (33, 263)
_MESH_POINTS = 468
_TILE = 0.625  # of the longer side: a face of a quarter of it is whole in one of them. Our choice
EYE_CORNERS = ((33, 133), (362, 263))
"""Landmarks at the left and the right end of an eye in the picture: the person's right eye, left eye."""


def frame_region(height: int, width: int) -> FloatArray:
    """The whole frame ``(4,)``, in a square that its longer side fills."""
    return np.array([(width - 1) / 2, (height - 1) / 2, max(height, width), 0], dtype=np.float32)


def tile_regions(height: int, width: int) -> FloatArray:
    """Four overlapping parts of a frame ``(4, 4)``, in which small faces are larger, row by row."""
    side = max(int(_TILE * max(height, width)), 1)
    rows, columns = (
        (0, size - side) if size > side else ((size - side) / 2,) * 2 for size in (height, width)
    )
    middle = (side - 1) / 2
    return np.array([[x + middle, y + middle, side, 0] for y in rows for x in columns], dtype=np.float32)


def detection_regions(boxes: FloatArray, keypoints: FloatArray) -> FloatArray:
    """Regions of detected faces ``(..., 4)``, upright as the eyes have it.

    Args:
        boxes: ``(..., 4)`` left, top, right, bottom.
        keypoints: ``(..., 6, 2)``.
    """
    center = (boxes[..., :2] + boxes[..., 2:]) * np.float32(0.5)
    side = _FACE_SCALE * (boxes[..., 2:] - boxes[..., :2]).max(axis=-1)
    return _region(center[..., 0], center[..., 1], side, _angle(keypoints[..., _DETECTED_EYES, :]))


def landmark_regions(landmarks: FloatArray, corners: tuple[int, int] = OUTER_CORNERS) -> FloatArray:
    """Regions of faces ``(..., 4)`` from landmarks of an earlier frame or a first look.

    The box is measured along the turned axes, so that a region turns with its face.

    Args:
        landmarks: ``(..., P, 2 or more)``.
        corners: Which of them are the outer corners of the person's right and left eye; those of the mesh.
    """
    points = landmarks[..., :_MESH_POINTS, :]
    angle = _angle(landmarks[..., corners, :2])
    across, down = _turn(points[..., 0], points[..., 1], -angle[..., None])
    left, right, top, bottom = across.min(-1), across.max(-1), down.min(-1), down.max(-1)
    x, y = _turn((left + right) / 2, (top + bottom) / 2, angle)
    return _region(x, y, _FACE_SCALE * np.maximum(right - left, bottom - top), angle)


def eye_regions(landmarks: FloatArray) -> FloatArray:
    """Regions of both eyes ``(..., 2, 4)``, the person's right one first.

    Args:
        landmarks: ``(..., P, 2 or more)`` of the mesh.
    """
    ends = landmarks[..., EYE_CORNERS, :2]
    across = ends[..., 1, :] - ends[..., 0, :]
    side = _EYE_SCALE * np.hypot(across[..., 0], across[..., 1])
    center = ends.mean(axis=-2)
    return _region(center[..., 0], center[..., 1], side, _angle(ends))


def crop_matrices(regions: FloatArray, side: int, mirrored: NDArray[np.bool_] | bool = False) -> FloatArray:
    """Matrices ``(..., 2, 3)`` from pixels of the frame to pixels of a crop; middles are whole numbers.

    Args:
        regions: ``(..., 4)``.
        side: Of the crop, in pixels.
        mirrored: ``(...)`` whether left and right change places.
    """
    values = regions.astype(np.float64)
    x, y, size, angle = values[..., 0], values[..., 1], values[..., 2], values[..., 3]
    scale = side / size
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    matrices = np.empty((*regions.shape[:-1], 2, 3), dtype=np.float64)
    matrices[..., 0, 0], matrices[..., 0, 1] = cosine, sine
    matrices[..., 0, 2] = (side - 1) / 2 - cosine * x - sine * y
    matrices[..., 1, 0], matrices[..., 1, 1] = -sine, cosine
    matrices[..., 1, 2] = (side - 1) / 2 + sine * x - cosine * y
    if mirrored is not False:
        across = matrices[..., 0, :]
        np.subtract([0, 0, side - 1], across, out=across, where=np.asarray(mirrored)[..., None])
    return matrices.astype(np.float32)


def to_frame(points: FloatArray, matrices: FloatArray) -> FloatArray:
    """Points of crops ``(..., P, 2)`` in pixels of the frame.

    Args:
        points: ``(..., P, 2)`` in pixels of the crop.
        matrices: ``(..., 2, 3)`` of `crop_matrices`.
    """
    linear = matrices[..., :2].astype(np.float64)
    area = (linear[..., :1, :] ** 2).sum(axis=-1, keepdims=True)  # its inverse is its transpose over this
    found = (points - matrices[..., None, :, 2]) @ (linear / area)
    return np.asarray(found, dtype=np.float32)


def _region(x: FloatArray, y: FloatArray, side: FloatArray, angle: FloatArray) -> FloatArray:
    regions = np.empty((*angle.shape, 4), dtype=np.float32)
    regions[..., 0], regions[..., 1], regions[..., 2], regions[..., 3] = x, y, side, angle
    return regions


def _angle(ends: FloatArray) -> FloatArray:
    across = ends[..., 1, :] - ends[..., 0, :]
    return np.asarray(np.arctan2(across[..., 1], across[..., 0]))


def _turn(x: FloatArray, y: FloatArray, angle: FloatArray) -> tuple[FloatArray, FloatArray]:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.asarray(cosine * x - sine * y), np.asarray(sine * x + cosine * y)
