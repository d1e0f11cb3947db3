import numpy as np
import pytest

from datamodules.series.eye_landmarks import eye_aspect_ratio, ring_diameters


def test_rings_have_the_diameters_they_were_drawn_with(make_series, eye_channels):
    pupils = np.array([[5.0, 6.0], [4.0, 3.0]])
    pupil, iris = ring_diameters(make_series(**eye_channels(pupils, decimals=6)))
    np.testing.assert_allclose(pupil, pupils, atol=1e-4)
    np.testing.assert_allclose(iris, 12.0, atol=1e-4)


def test_lids_open_by_height_over_width(make_series, eye_channels):
    channels = eye_channels(np.full((2, 2), 5.0), openings=[10.0, 2.5], decimals=6)
    np.testing.assert_allclose(eye_aspect_ratio(make_series(**channels)), [10 / 25, 2.5 / 25], atol=1e-5)


def test_the_68_points_serve_where_there_is_no_model_of_the_eye(make_series):
    eye = np.array([[0, 0], [2, -1], [4, -1], [6, 0], [4, 1], [2, 1]], dtype=float)  # width 6, opening 2
    points = np.concatenate([eye, eye * [1, 2] + 20])  # the other eye is open twice as far
    channels = {f"{axis}_{36 + k}": [points[k, j]] for j, axis in enumerate("xy") for k in range(12)}
    assert eye_aspect_ratio(make_series(**channels)) == pytest.approx([(2 / 6 + 4 / 6) / 2])


def test_without_all_points_there_is_nothing(make_series, eye_channels):
    channels = eye_channels(np.full((2, 2), 5.0))
    del channels["eye_lmk_Z_55"]
    series = make_series(**channels)
    assert ring_diameters(series) is None


def test_a_channel_that_holds_the_opening_is_read_first(make_series, eye_channels):
    channels = eye_channels(np.full((2, 2), 5.0), openings=[10.0, 2.5], decimals=6)
    np.testing.assert_allclose(
        eye_aspect_ratio(make_series(**channels, eye_aspect_ratio=[0.3, 0.1])), [0.3, 0.1]
    )
