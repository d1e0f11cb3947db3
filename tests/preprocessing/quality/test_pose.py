"""Turns of a drawn head, whose angles are known."""

import numpy as np
import pytest

from datamodules.synthetic.appearance import Appearance
from preprocessing.faces.topology import IBUG68
from preprocessing.quality.pose import turned
from tests.preprocessing.drawn_faces import behavior, points_of


@pytest.mark.parametrize("seed", [0, 3])
def test_yaw_and_pitch_grow_with_the_true_ones_whatever_the_roll(seed):
    true = np.linspace(-0.6, 0.6, 13)
    look = Appearance.draw(seed)
    yaw, _ = turned(points_of(look, behavior(13, pose_yaw=true, pose_roll=0.3), 300), IBUG68)
    _, pitch = turned(points_of(look, behavior(13, pose_pitch=true, pose_roll=-0.3), 300), IBUG68)
    assert np.corrcoef(true, yaw)[0, 1] > 0.99
    assert np.abs(np.degrees(yaw - true)).max() < 15
    assert np.corrcoef(true, pitch)[0, 1] > 0.95


def test_unknown_frames_stay_unknown():
    points = points_of(Appearance.draw(0), behavior(3), 100)
    points[1] = np.nan
    yaw, pitch = turned(points, IBUG68)
    assert np.isnan(yaw).tolist() == np.isnan(pitch).tolist() == [False, True, False]
    assert np.isnan(turned(points[1:2], IBUG68)[0]).all()
