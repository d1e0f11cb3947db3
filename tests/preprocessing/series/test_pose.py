import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from preprocessing.faces.topology import MESH
from preprocessing.series.head import fit_head
from preprocessing.series.pose import head_pose
from tests.preprocessing.series.conftest import HEIGHT, WIDTH

FOCAL = 500.0  # of OpenFace at 640 x 480


def through_a_lens(head, *, at_mm, angles=(0.0, 0.0, 0.0)):
    """Landmarks (1, 478, 3) of OpenCV's pinhole camera; a unit is 32 mm.

    Depth is that along the line of sight, all that a network can see in a picture of the face alone.
    """
    camera = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
    turn = Rotation.from_euler("XYZ", angles)
    place = np.asarray(at_mm, dtype=float)
    flat, _ = cv2.projectPoints(head * 32, turn.as_rotvec(), place, camera, None)
    depth = turn.apply(head * 32) @ place / np.linalg.norm(place) * FOCAL / place[2]
    return np.column_stack([flat[:, 0], depth])[None]


def pose_of(landmarks):
    return np.array([angle[0] for angle in head_pose(fit_head(landmarks, MESH).rotation).values()])


def test_a_head_that_moves_aside_and_keeps_facing_the_camera_keeps_its_pose(head):
    before = pose_of(through_a_lens(head, at_mm=(0, 0, 700)))
    for at in ((150, 0, 700), (0, -100, 700), (-120, 80, 700)):
        facing, _ = Rotation.align_vectors([at], [(0, 0, 1)])
        moved = through_a_lens(head, at_mm=at, angles=facing.as_euler("XYZ"))
        np.testing.assert_allclose(pose_of(moved), before, atol=0.03)
        assert np.abs(pose_of(through_a_lens(head, at_mm=at)) - before).max() > 0.1


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["pitch", "yaw", "roll"])
def test_a_turn_is_the_difference_of_the_angles(head, axis):
    turned = np.zeros(3)
    turned[axis] = 0.25
    before = pose_of(through_a_lens(head, at_mm=(60, -40, 700)))
    after = pose_of(through_a_lens(head, at_mm=(60, -40, 700), angles=turned))
    np.testing.assert_allclose((after - before)[axis], 0.25, atol=0.03)


def test_signs_are_those_of_openface(head):
    rest = pose_of(through_a_lens(head, at_mm=(0, 0, 700)))
    nose, brow = 1, 10

    def moved(angles):
        a, b = (through_a_lens(head, at_mm=(0, 0, 700), angles=x)[0] for x in (angles, (0, 0, 0)))
        return a - b, pose_of(through_a_lens(head, at_mm=(0, 0, 700), angles=angles)) - rest

    points, angles = moved((0.2, 0, 0))
    assert points[nose, 1] > points[brow, 1]  # a lowered face: the nose falls against the forehead
    assert angles[0] > 0.15
    points, angles = moved((0, 0.2, 0))
    assert points[nose, 0] < 0  # to the picture's left
    assert angles[1] > 0.15
    points, angles = moved((0, 0, 0.2))
    assert points[brow, 0] > 0  # clockwise in the picture: the top goes right
    assert angles[2] > 0.15
