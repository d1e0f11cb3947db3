"""Opening of the lids, and blinks."""

import numpy as np
from numpy.typing import NDArray

from datamodules.series.blinks import find_blinks, lid_closure
from preprocessing.faces.topology import Points, Topology
from preprocessing.series.head import Array


def eye_aspect_ratios(upright: Array, topology: Topology) -> dict[str, Array]:
    """Height over width of the eyes ``(N,)``: each and their mean (Soukupova & Cech, CVWW 2016)."""
    right, left = (_ratio(upright[:, list(eye)]) for eye in (topology.right_eye, topology.left_eye))
    return {
        "eye_aspect_ratio": (right + left) / 2,
        "eye_aspect_ratio_right": right,
        "eye_aspect_ratio_left": left,
    }


def blinks(ratio: Array, found: NDArray[np.bool_], usable: NDArray[np.bool_], seconds: Array) -> Array:
    """1 in frames ``(T,)`` of a blink, 0 elsewhere: the events of `datamodules.series.blinks`.

    Args:
        ratio: Aspect ratio ``(T,)``, any number where there is no face.
        found: Frames with a face ``(T,)``.
        usable: Frames whose median is the open eye ``(T,)``.
        seconds: Times ``(T,)``.
    """
    closure = lid_closure(ratio, usable)
    short, _ = find_blinks(closure, found, seconds, "eye_aspect_ratio")
    marked = np.zeros(len(ratio))
    for blink in short:
        marked[blink.rows] = 1
    return marked


def _ratio(eye: Array) -> Array:
    """Of the six points ``(N, 6, 2)``: corner, two above, corner, two below; NaN without a width."""
    height = np.linalg.norm(eye[:, 1] - eye[:, 5], axis=1) + np.linalg.norm(eye[:, 2] - eye[:, 4], axis=1)
    width = np.linalg.norm(eye[:, 0] - eye[:, 3], axis=1)
    return np.asarray(height / 2 / np.where(width > 0, width, np.nan))


def corners(upright: Array, eye: Points) -> tuple[Array, Array]:
    """The two corners of an eye ``(N, 2)``, the one that lies left in the picture first."""
    return upright[:, eye[0]], upright[:, eye[3]]
