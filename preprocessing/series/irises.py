"""Irises: direction of the gaze, and their size as a ruler.

The border that the network marks is that of the iris, not of the pupil: its diameter is a scale, and no sign
of arousal.
"""

import numpy as np

from preprocessing.faces.topology import Topology
from preprocessing.series.head import Array, Head
from preprocessing.series.lids import corners

IRIS_MM = 11.7  # horizontal visible diameter, +- 0.5 in adults (Ahmed, Vakunov et al., Google AI Blog 2020)
_EYE_MM = 24.0  # diameter of the eyeball of adults (Bekerman et al., Journal of Ophthalmology 2014)
# Middle of the iris from the middle of the eyeball: the iris is a circle on its surface.
_ARM_MM = np.sqrt((_EYE_MM / 2) ** 2 - (IRIS_MM / 2) ** 2)


def has_irises(landmarks: Array, topology: Topology) -> bool:
    """Whether landmarks ``(N, P, 3)`` hold irises, in any frame."""
    points = [*topology.right_iris, *topology.left_iris]
    if not points or max(points) >= landmarks.shape[1]:
        return False
    return bool(np.isfinite(landmarks[:, points, :2]).all(axis=(1, 2)).any())


def iris_size(head: Head, topology: Topology) -> dict[str, Array]:
    """Horizontal diameter of the irises in pixels, mean of both eyes ``(N,)``, and millimeters per pixel."""
    diameter = _diameter(head.upright, topology) * head.scale
    return {"iris_diameter": diameter, "mm_per_px": IRIS_MM / diameter}


def gaze(head: Head, topology: Topology) -> dict[str, Array]:
    """Angles ``(N,)`` in radians, x to the picture's right and y down, mean of both eyes.

    The iris turns on an arm `a` around the middle of the eyeball, so an offset `d` of its middle from the
    middle between the corners of the eye is the angle arcsin(d / a). Both are measured in widths of the eye,
    which the iris of 11.7 mm makes millimeters (median over the recording). These are the angles in the head;
    turned with it they are `gaze_x` and `gaze_y`, to the line of sight. The zero is that of the corners of
    the eye: compare a recording with itself.
    """
    offsets, widths = [], []
    for eye, iris in ((topology.right_eye, topology.right_iris), (topology.left_eye, topology.left_iris)):
        left, right = corners(head.upright, eye)
        width = np.linalg.norm(right - left, axis=1)
        along = (right - left) / np.where(width > 0, width, np.nan)[:, None]
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        offset = head.upright[:, iris[0]] - (left + right) / 2
        offsets.append(np.stack([(offset * axis).sum(axis=1) / width for axis in (along, across)]))
        widths.append(width)
    width_mm = IRIS_MM * np.nanmedian(np.mean(widths, axis=0) / _diameter(head.upright, topology))
    sines = np.mean(offsets, axis=0) * width_mm / _ARM_MM
    x, y = np.arcsin(sines.clip(-1, 1))
    ahead = np.stack([np.tan(x), np.tan(y), -np.ones(len(x))], axis=1)  # z is away from the camera
    seen = np.einsum("nij,nj->ni", head.rotation, ahead)
    return {
        "gaze_x": np.arctan2(seen[:, 0], -seen[:, 2]),
        "gaze_y": np.arctan2(seen[:, 1], -seen[:, 2]),
        "gaze_head_x": x,
        "gaze_head_y": y,
    }


def _diameter(points: Array, topology: Topology) -> Array:
    """Between the two points of the border that lie beside the middle, mean of both eyes ``(N,)``."""
    across = [
        np.linalg.norm(points[:, iris[1]] - points[:, iris[3]], axis=1)
        for iris in (topology.right_iris, topology.left_iris)
    ]
    return np.asarray(np.mean(across, axis=0))
