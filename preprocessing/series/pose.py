"""Pose of the head: pitch, yaw and roll in radians, with OpenFace's signs.

A lowered face has a positive pitch, one turned to the picture's left a positive yaw, one tilted clockwise a
positive roll. They are angles to the line of sight: a head that moves aside and keeps looking into the camera
keeps its pose. OpenFace tells angles to the camera's axis, for which it takes a focal length that it does not
know; the two differ by the direction of the face, arctan(offset / focal length).
"""

from scipy.spatial.transform import Rotation

from preprocessing.series.head import Array

CHANNELS = ("pose_pitch", "pose_yaw", "pose_roll")


def head_pose(rotation: Array) -> dict[str, Array]:
    """Angles ``(N,)`` by channel, of rotations `Rx(pitch) Ry(yaw) Rz(roll)` ``(N, 3, 3)``."""
    angles = Rotation.from_matrix(rotation).as_euler("XYZ")
    return dict(zip(CHANNELS, angles.T, strict=True))
