"""Pose of the head: pitch, yaw and roll in radians, in the camera's coordinates and with OpenFace's signs.

A lowered face has a positive pitch, one turned to the picture's left a positive yaw, one tilted clockwise a
positive roll. The fit sees the head along the line of sight; the angle of that line is added, so that
a head that only moves aside does not seem to turn. The camera's focal length is unknown, and OpenFace's
default is taken: 500 pixels at 640 x 480 (https://github.com/TadasBaltrusaitis/OpenFace, `SequenceCapture`).
"""

import numpy as np
from scipy.spatial.transform import Rotation

from preprocessing.series.head import Array, Head

CHANNELS = ("pose_pitch", "pose_yaw", "pose_roll")


def camera_rotation(head: Head, *, width: int, height: int) -> Rotation:
    """Rotation of the head in the camera's coordinates, in `N` frames.

    Args:
        head: As it was fitted.
        width: Of the frames in pixels.
        height: Of the frames in pixels.
    """
    focal = 500 * (width / 640 + height / 480) / 2
    aside, down = np.arctan((head.center - np.array([width, height]) / 2) / focal).T
    sight = Rotation.from_euler("YX", np.stack([aside, -down], axis=1))
    return sight * Rotation.from_matrix(head.rotation)


def head_pose(rotation: Rotation) -> dict[str, Array]:
    """Angles ``(N,)`` by channel, of the rotation `Rx(pitch) Ry(yaw) Rz(roll)`."""
    return dict(zip(CHANNELS, rotation.as_euler("XYZ").T, strict=True))
