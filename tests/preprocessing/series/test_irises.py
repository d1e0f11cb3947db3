import numpy as np
import pytest

from preprocessing.faces.topology import MESH
from preprocessing.series.head import fit_head
from preprocessing.series.irises import gaze, has_irises, iris_size
from tests.preprocessing.series.conftest import UNIT

ARM = np.sqrt(12**2 - 5.85**2)  # mm, of a circle of 11.7 mm on a ball of 24 mm
IRIS = 0.36  # units, of the still head


def looking(head, x, y):
    """The head with irises turned by angles."""
    moved = head.copy()
    moved[468:, :2] += np.sin([x, y]) * ARM * IRIS / 11.7
    return moved


def test_the_iris_is_a_ruler(head, seen):
    landmarks = seen([head, head], unit=np.array([[[1.0]], [[2.0]]]) * UNIT)
    sizes = iris_size(fit_head(landmarks, MESH), MESH)
    np.testing.assert_allclose(sizes["iris_diameter"], [IRIS * UNIT, IRIS * 2 * UNIT], rtol=1e-9)
    np.testing.assert_allclose(sizes["mm_per_px"] * sizes["iris_diameter"], 11.7)


def test_an_iris_on_a_ball_tells_its_angles(head, seen):
    angles = [(0, 0), (0.3, 0), (-0.2, 0.1), (0, -0.25)]
    found = gaze(fit_head(seen([looking(head, *xy) for xy in angles]), MESH), MESH)
    for place, axis in enumerate("xy"):
        for name in (f"gaze_head_{axis}", f"gaze_{axis}"):  # the head does not turn
            np.testing.assert_allclose(found[name] - found[name][0], [xy[place] for xy in angles], atol=0.02)


def test_eyes_that_stay_on_the_camera_while_the_head_turns_keep_their_gaze(head, seen):
    turns = np.array([0.0, 0.2, -0.2])  # yaw, to the picture's left for positive ones
    heads = [looking(head, turn, 0) for turn in turns]
    found = gaze(fit_head(seen(heads, turns[:, None] * [0, 1, 0]), MESH), MESH)
    np.testing.assert_allclose(found["gaze_head_x"] - found["gaze_head_x"][0], turns, atol=0.04)
    np.testing.assert_allclose(found["gaze_x"] - found["gaze_x"][0], 0, atol=0.04)


@pytest.mark.parametrize("lost", ["cut", "unknown"])
def test_a_mesh_without_irises_has_none(head, seen, lost):
    landmarks = seen([head, head])
    assert has_irises(landmarks, MESH)
    if lost == "cut":
        landmarks = landmarks[:, :468]
    else:
        landmarks[:, 468:] = np.nan
    assert not has_irises(landmarks, MESH)
