import numpy as np
import pytest

from datamodules.series.channel_schema import PROXY_AUS, au_proxy
from preprocessing.faces.topology import IBUG68, MESH
from preprocessing.series.action_unit_proxies import action_unit_proxies
from preprocessing.series.head import fit_head
from tests.preprocessing.series.conftest import UNIT

MOVES = {  # channel: points, what they move by (x, y), and what the channel rises by
    "au_proxy_01": ((107, 66, 336, 296), (0, -0.2), 0.2),
    "au_proxy_02": ((70, 63, 300, 293), (0, -0.2), 0.2),
    "au_proxy_10": ((0,), (0, -0.1), 0.1),
    "au_proxy_12": ((61, 291), (0, -0.1), 0.1),
    "au_proxy_15": ((61, 291), (0, 0.1), 0.1),
    "au_proxy_20": ((291,), (0.2, 0), 0.2),
    "au_proxy_24": ((17,), (0, -0.1), 0.1),
    "au_proxy_26": ((14,), (0, 0.2), 0.2),
}


def proxies(landmarks, ratio=0.3):
    fitted = fit_head(landmarks, MESH)
    ratios = np.broadcast_to(ratio, len(landmarks))
    return action_unit_proxies(fitted.upright, ratios, MESH), fitted.scale / UNIT


@pytest.mark.parametrize("name", MOVES)
def test_a_movement_raises_its_proxy_by_its_size(head, seen, name):
    points, (x, y), rise = MOVES[name]
    moved = head.copy()
    moved[list(points)] += [x, y, 0]
    found, scale = proxies(seen([head, moved]))
    change = (found[name][1] - found[name][0]) * scale[0]  # in units of the head that was moved
    assert change == pytest.approx(rise, abs=0.02)


def test_turn_size_and_place_of_the_head_change_nothing(head, seen):
    angles = np.array([[0, 0, 0], [0.3, 0, 0], [0, -0.5, 0], [0.2, 0.3, 0.6]])
    found, _ = proxies(np.concatenate([seen([head] * 4, angles), seen([head], at=(50, 60), unit=71.0)]))
    for name, values in found.items():
        np.testing.assert_allclose(values, values[0], atol=1e-9, err_msg=name)


def test_a_closed_eye_raises_45_and_all_units_that_follow_are_there(head, seen):
    found, _ = proxies(seen([head, head]), np.array([0.3, 0.1]))
    assert found["au_proxy_45"].tolist() == [-0.3, -0.1]
    assert list(found) == [au_proxy(number) for number in PROXY_AUS]


def test_the_68_points_have_the_same_units():
    points = np.random.default_rng(0).uniform(0, 1, (3, 68, 2))
    found = action_unit_proxies(points, np.full(3, 0.3), IBUG68)
    np.testing.assert_allclose(found["au_proxy_20"], np.hypot(*(points[:, 48] - points[:, 54]).T))
    eyes, brows = points[:, [39, 42], 1], points[:, [20, 21, 22, 23], 1]
    np.testing.assert_allclose(found["au_proxy_01"], eyes.mean(axis=1) - brows.mean(axis=1))
