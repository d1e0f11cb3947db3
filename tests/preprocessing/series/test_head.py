import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from preprocessing.faces.topology import IBUG68, MESH
from preprocessing.series.head import TEMPLATES, fit_head

ANGLES = np.array([[0, 0, 0], [0.3, 0, 0], [0, -0.5, 0], [0, 0, 0.6], [0.2, 0.3, -0.4]])


def like_the_template(topology):
    """A face whose rigid points are those of the template, others at random."""
    points = np.random.default_rng(1).uniform(-1, 1, (topology.count, 3))
    for point, place in TEMPLATES[topology.name].items():
        points[point] = place
    return points


def test_a_turn_in_space_is_found_whatever_the_face(head, seen):
    fitted = fit_head(seen([head] * 5, ANGLES, unit=25.0), MESH)
    turns = fitted.rotation @ fitted.rotation[0].T
    np.testing.assert_allclose(turns, Rotation.from_euler("XYZ", ANGLES).as_matrix(), atol=1e-9)
    np.testing.assert_allclose(fitted.scale, fitted.scale[0])


def test_landmarks_are_turned_to_the_front_in_units_of_the_face(head, seen):
    fitted = fit_head(seen([head] * 5, ANGLES, at=(100, 200), unit=np.pi), MESH)
    # the 468 points of the skin are the same in all frames; irises take the depth of their eye
    np.testing.assert_allclose(fitted.upright[:, :468], fitted.upright[[0] * 5, :468], atol=1e-9)
    np.testing.assert_allclose(np.ptp(fitted.upright[:, [133, 362]], axis=1)[:, 0], 1, atol=0.1)


@pytest.mark.parametrize("topology", [MESH, IBUG68], ids=lambda topology: topology.name)
def test_without_depth_the_turn_is_that_of_the_template(topology, seen):
    landmarks = seen([like_the_template(topology)] * 5, ANGLES, at=(300, 100))
    landmarks[..., 2] = np.nan
    fitted = fit_head(landmarks, topology)
    np.testing.assert_allclose(fitted.rotation, Rotation.from_euler("XYZ", ANGLES).as_matrix(), atol=1e-9)


def test_without_depth_a_face_is_turned_upright_in_the_picture(seen):
    rolled = np.array([[0, 0, 0], [0, 0, 0.5]])
    landmarks = seen([like_the_template(IBUG68)] * 2, rolled)
    landmarks[..., 2] = np.nan
    upright = fit_head(landmarks, IBUG68).upright
    np.testing.assert_allclose(upright[1], upright[0], atol=1e-9)
    np.testing.assert_allclose(upright[0, 42] - upright[0, 39], [1, 0], atol=1e-9)


def test_a_mirrored_face_is_no_turn(head, seen):
    fitted = fit_head(seen([head * [-1, 1, 1]]), MESH)
    assert np.linalg.det(fitted.rotation[0]) == pytest.approx(1)
