import numpy as np

from preprocessing.faces.topology import IBUG68, MESH
from preprocessing.series.lids import blinks, eye_aspect_ratios


def test_the_ratio_is_height_over_width_of_each_eye():
    eye = np.array([[0, 0], [2, -1], [4, -1], [6, 0], [4, 1], [2, 1]], dtype=float)
    for topology in (MESH, IBUG68):
        points = np.zeros((1, topology.count, 2))
        points[0, list(topology.right_eye)] = eye
        points[0, list(topology.left_eye)] = eye * [1, 2] + 20
        ratios = eye_aspect_ratios(points, topology)
        assert {name: float(values[0]) for name, values in ratios.items()} == {
            "eye_aspect_ratio": 0.5,
            "eye_aspect_ratio_right": 2 / 6,
            "eye_aspect_ratio_left": 4 / 6,
        }


def test_a_short_fall_is_a_blink_and_a_long_one_or_one_without_a_face_is_none():
    ratio, found = np.full(100, 0.3), np.ones(100, dtype=bool)
    ratio[10:15] = 0.1  # 0.17 s
    ratio[40:70] = 0.1  # 1 s
    ratio[80:85], found[80:85] = 0.0, False
    marked = blinks(ratio, found, found, np.arange(100) / 30)
    assert np.flatnonzero(marked).tolist() == [10, 11, 12, 13, 14]
    assert set(marked) == {0, 1}


def test_the_open_eye_is_that_of_usable_frames():
    ratio = np.array([0.3] * 20 + [0.15] * 4 + [0.3] * 20 + [0.9] * 60)
    usable = np.arange(104) < 44
    seconds = np.arange(104) / 30
    assert blinks(ratio, np.ones(104, dtype=bool), usable, seconds)[20:24].all()
