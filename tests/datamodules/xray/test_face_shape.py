import numpy as np
import pytest

from datamodules.xray.face_shape import largest_jump, points_of, proportions

FACE = {  # x, y of a plain face: inner and outer corners of the eyes, nose, edges of the jaw
    36: (-30, 0), 45: (30, 0), 39: (-12, 0), 42: (12, 0), 27: (0, 0),
    33: (0, 40), 31: (-11, 36), 35: (11, 36), 1: (-55, 10), 15: (55, 10),
}  # fmt: skip
NAMES = [f"{axis}_{k}" for axis in "xy" for k in range(68)]


def drawn(rows, face=FACE, *, turn=0.0, scale=1.0):
    """Landmarks (T, 136) of one face, turned in the picture by `turn` radians, with a little noise."""
    values = np.random.default_rng(0).normal(scale=0.05, size=(rows, 136))
    for point, (x, y) in face.items():
        values[:, point] += scale * (x * np.cos(turn) - y * np.sin(turn))
        values[:, 68 + point] += scale * (x * np.sin(turn) + y * np.cos(turn))
    return values


def test_points_are_found_by_their_names_in_any_order():
    values = drawn(3)
    points = points_of(values, NAMES)
    assert points.shape == (3, 10, 2)
    np.testing.assert_allclose(points[0, 0], values[0, [36, 68 + 36]])
    order = np.random.default_rng(1).permutation(136)
    np.testing.assert_array_equal(points_of(values[:, order], [NAMES[k] for k in order]), points)
    assert points_of(values, [f"AU{k}" for k in range(136)]) is None


def test_proportions_are_those_of_the_drawing_and_know_neither_size_nor_tilt():
    found = proportions(points_of(drawn(200), NAMES)).mean(axis=0)
    by_hand = np.log(np.array([24, 40, 22, 110]) / 60)  # of inner corners, nose, alae and jaw, over 60
    np.testing.assert_allclose(found, by_hand, atol=2e-3)
    other = proportions(points_of(drawn(200, turn=0.4, scale=3.0), NAMES)).mean(axis=0)
    np.testing.assert_allclose(other, by_hand, atol=2e-3)


def test_a_face_with_its_parts_in_the_wrong_order_is_none():
    mirrored = FACE | {39: FACE[42], 42: FACE[39]}
    assert np.isnan(proportions(points_of(drawn(5, mirrored), NAMES))).all()


@pytest.mark.parametrize("place", [30, 75])
def test_another_head_is_found_at_its_row(place):
    wider = FACE | {39: (-17, 0), 42: (17, 0), 31: (-16, 36), 35: (16, 36)}
    values = np.vstack([drawn(place), drawn(120 - place, wider)])
    jump = largest_jump(proportions(points_of(values, NAMES)), np.arange(120) + 1000)
    assert abs(jump.row - (1000 + place)) <= 1
    expected = np.sqrt((np.log(34 / 24) ** 2 + np.log(32 / 22) ** 2) / 4)
    assert jump.size == pytest.approx(expected, abs=0.01)
    one = largest_jump(proportions(points_of(drawn(120), NAMES)), np.arange(120))
    assert one.size < 0.01


def test_too_few_rows_with_a_face_tell_nothing():
    shape = proportions(points_of(drawn(39), NAMES))
    assert largest_jump(shape, np.arange(39)) is None
    shape = np.vstack([proportions(points_of(drawn(70), NAMES)), np.full((30, 4), np.nan)])
    assert largest_jump(shape, np.arange(100)) is None
