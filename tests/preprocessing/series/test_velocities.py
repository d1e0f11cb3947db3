import numpy as np
import pytest

from preprocessing.faces.topology import MESH
from preprocessing.series.head import fit_head
from preprocessing.series.velocities import velocities
from tests.preprocessing.series.conftest import UNIT

UNEVEN = np.array([0.0, 0.03, 0.07, 0.1, 0.2, 1.2, 1.23])  # seconds, with a gap


def test_a_head_that_moves_evenly_has_one_speed_at_uneven_times(head, seen):
    at = np.array([200, 150]) + UNEVEN[:, None] * np.array([30.0, 40.0])  # 50 px/s
    fitted = fit_head(seen([head] * 7, at=at), MESH)
    speeds = velocities(fitted, UNEVEN, MESH)
    np.testing.assert_allclose(speeds["speed_head"], 50 / fitted.scale[0])
    assert fitted.scale[0] == pytest.approx(UNIT, rel=0.1)
    for name in ("speed_brows", "speed_lids", "speed_mouth"):
        np.testing.assert_allclose(speeds[name], 0, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("speed_brows", [*MESH.right_brow, *MESH.left_brow]),
        ("speed_lids", [160, 158, 153, 144, 385, 387, 373, 380]),
        ("speed_mouth", [61, 291, 13, 14, 0, 17]),
    ],
)
def test_what_moves_in_the_face_has_a_speed_and_the_rest_none(head, seen, name, points):
    heads = np.stack([head] * 7)
    heads[:, points, 1] += 0.3 * UNEVEN[:, None]
    fitted = fit_head(seen(heads), MESH)
    speeds = velocities(fitted, UNEVEN, MESH)
    np.testing.assert_allclose(speeds.pop(name), 0.3 * UNIT / fitted.scale[0], rtol=0.02)
    assert max(values.max() for values in speeds.values()) < 1e-9


def test_a_single_frame_has_no_speed(head, seen):
    speeds = velocities(fit_head(seen([head]), MESH), np.array([0.0]), MESH)
    assert len(speeds) == 4
    assert all(values.tolist() == [0] for values in speeds.values())
