import numpy as np
import pytest

from biomarkers.oculomotor.gaze import GazeDirection, degrees_between, directions, gaze_angles


def test_angles_of_vectors_are_those_of_openface(make_series):
    # 3-4-5: the mean vector (0.6, 0, -0.8) looks atan2(0.6, 0.8) to the side.
    series = make_series(
        gaze_0_x=[0.5], gaze_0_y=[0.1], gaze_0_z=[-0.8], gaze_1_x=[0.7], gaze_1_y=[-0.1], gaze_1_z=[-0.8]
    )
    np.testing.assert_allclose(gaze_angles(series), [[np.arctan2(0.6, 0.8), 0]], atol=1e-7)
    np.testing.assert_allclose(directions(gaze_angles(series)), [[0.6, 0, -0.8]], atol=1e-7)


def test_angles_between_vectors_are_exact_where_they_are_tiny():
    a = directions(np.radians([[0.0, 0.0], [0.0, 0.0], [30.0, 0.0]]))
    b = directions(np.radians([[1e-6, 0.0], [0.0, 90 - 1e-3], [-30.0, 0.0]]))
    np.testing.assert_allclose(degrees_between(a, b), [1e-6, 90 - 1e-3, 60.0], rtol=1e-6)


def test_mean_spread_and_shares_of_a_gaze_drawn_by_hand(make_series):
    # 60 frames ahead, 20 to the side by 20, 10 with the vertical number up by 15, 10 down by 15 degrees.
    x = np.radians(np.r_[np.zeros(60), np.full(20, 20.0), np.zeros(20)])
    y = np.radians(np.r_[np.zeros(80), np.full(10, 15.0), np.full(10, -15.0)])
    values = GazeDirection().measure(make_series(gaze_x=x, gaze_y=y), recording="r").values
    assert values["gaze_averted_share"] == pytest.approx(0.4)
    assert values["gaze_vertical_above_share"] == values["gaze_vertical_below_share"] == pytest.approx(0.1)
    s, c = np.sin(np.radians([20, 15])), np.cos(np.radians([20, 15]))
    mean = np.array([0.2 * s[0], 0.0, -(0.6 + 0.2 * c[0] + 0.2 * c[1])])
    assert values["gaze_horizontal"] == pytest.approx(np.degrees(np.arctan2(mean[0], -mean[2])), abs=1e-5)
    assert values["gaze_vertical"] == pytest.approx(0, abs=1e-5)
    h = values["gaze_horizontal"]
    tilted = np.degrees(np.arccos(c[1] * np.cos(np.radians(h))))  # a right-angled spherical triangle
    expected = np.sqrt(0.6 * h**2 + 0.2 * (20 - h) ** 2 + 0.2 * tilted**2)
    assert values["gaze_dispersion"] == pytest.approx(expected, abs=1e-4)


def test_shares_are_those_of_the_own_median_and_know_no_up(make_series):
    y = np.radians(np.r_[np.zeros(70), np.full(30, 12.0)])
    one, other = (
        GazeDirection().measure(make_series(gaze_x=0 * y, gaze_y=sign * y + 0.3), recording="r").values
        for sign in (1, -1)
    )
    assert one["gaze_vertical_above_share"] == other["gaze_vertical_below_share"] == pytest.approx(0.3)
    assert one["gaze_vertical_below_share"] == other["gaze_vertical_above_share"] == 0


def test_a_closed_eye_looks_nowhere(make_series):
    closed = np.r_[np.ones(20), np.zeros(80)]
    y = np.where(closed == 1, 1.0, 0.1)
    series = make_series(gaze_x=0 * y, gaze_y=y, au45_present=closed)
    values = GazeDirection().measure(series, recording="r").values
    assert values["gaze_vertical"] == pytest.approx(np.degrees(0.1), abs=1e-5)
    assert values["gaze_dispersion"] == pytest.approx(0, abs=1e-5)


def test_without_a_gaze_there_are_reasons(make_series):
    measured = GazeDirection().measure(make_series(au45=np.zeros(60)), recording="r")
    assert set(measured.gaps) == set(GazeDirection.names)
    shut = make_series(gaze_x=np.zeros(60), gaze_y=np.zeros(60), au45_present=np.ones(60))
    reasons = set(GazeDirection().measure(shut, recording="r").gaps.values())
    assert reasons == {"0 frames with open eyes, 30 are needed"}
    with pytest.raises(ValueError, match="averted_deg=0"):
        GazeDirection(averted_deg=0)
