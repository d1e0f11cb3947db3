"""How fast groups of landmarks move, in distances of the inner corners of the eyes per second."""

import numpy as np

from preprocessing.faces.topology import Topology
from preprocessing.series.head import Array, Head


def velocities(head: Head, seconds: Array, topology: Topology) -> dict[str, Array]:
    """Speeds ``(N,)`` of the head in the picture, and of brows, lids and mouth in the face.

    Central differences in real time (`numpy.gradient`), mean over the points of a group; across a gap they
    are the mean speed over it. A single frame has none and gets 0.

    Args:
        head: With landmarks in the face's own units.
        seconds: Times of the frames ``(N,)``.
        topology: Which landmark is which.
    """
    lids = [
        *topology.right_eye[1:3],
        *topology.right_eye[4:],
        *topology.left_eye[1:3],
        *topology.left_eye[4:],
    ]
    groups = {
        "speed_brows": [*topology.right_brow, *topology.left_brow],
        "speed_lids": lids,
        "speed_mouth": [*topology.mouth, *topology.lips],
    }
    moved = head.center / np.median(head.scale)
    return {"speed_head": _speed(moved[:, None], seconds)} | {
        name: _speed(head.upright[:, points], seconds) for name, points in groups.items()
    }


def _speed(points: Array, seconds: Array) -> Array:
    """Of points ``(N, K, 2)``, mean over them ``(N,)``."""
    if len(points) < 2:
        return np.zeros(len(points))
    steps = np.gradient(points, seconds, axis=0)
    return np.asarray(np.linalg.norm(steps, axis=2).mean(axis=1))
