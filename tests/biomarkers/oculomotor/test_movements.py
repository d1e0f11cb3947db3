import numpy as np
import pytest

from biomarkers.features.extractor import Unmeasurable
from biomarkers.oculomotor.gaze import directions
from biomarkers.oculomotor.movements import EyeMovements
from biomarkers.oculomotor.saccade_detection import find_movements

# Gaze in degrees that jumps at known times: 4 saccades of 10, 15, 25 and 20 degrees in 10 s.
JUMPS = ((1.0, 10.0), (3.0, 25.0), (4.5, 0.0), (8.0, 20.0))


def jumping(fps, *, seconds=10.0, jumps=JUMPS, length=0.04):
    """Horizontal gaze (T,) in radians: from one level to the next within `length` seconds of each jump."""
    times, at, levels = np.arange(round(seconds * fps)) / fps, [0.0], [0.0]
    for start, level in jumps:
        at += [start, start + length]
        levels += [levels[-1], level]
    return np.radians(np.interp(times, [*at, seconds], [*levels, levels[-1]]))


def measured(make_series, x, *, fps=30.0, **more):
    return EyeMovements().measure(make_series(fps=fps, gaze_x=x, gaze_y=0 * x, **more), recording="r")


@pytest.mark.parametrize("fps", [15.0, 24.0, 30.0, 60.0])
def test_four_jumps_are_four_events_at_any_rate(make_series, fps):
    values = measured(make_series, jumping(fps), fps=fps).values
    assert values["saccade_like_rate"] == pytest.approx(4 / ((10 - 1 / fps) / 60))
    assert values["saccade_like_amplitude"] == pytest.approx((10 + 15 + 25 + 20) / 4, abs=1e-3)
    # Whole fixations run from 1.04 to 3, from 3.04 to 4.5 and from 4.54 to 8 s.
    assert values["fixation_duration"] == pytest.approx((1.96 + 1.46 + 3.46) / 3, abs=1.5 / fps)
    assert values["gaze_velocity"] == pytest.approx(0, abs=1e-3)


def test_times_of_events(make_series):
    fps = 50.0
    looks = directions(np.stack([jumping(fps), np.zeros(500)], axis=1))
    found = find_movements(looks, np.ones(500, dtype=bool), np.arange(500) / fps, step_s=1 / fps)
    assert [event.start_s for event in found.saccades] == pytest.approx([1.0, 3.0, 4.5, 8.0])
    assert [event.duration_s for event in found.saccades] == pytest.approx([0.04] * 4)
    assert [event.start_s for event in found.fixations] == pytest.approx([0, 1.04, 3.04, 4.54, 8.04])
    assert [event.duration_s is None for event in found.fixations] == [True, False, False, False, True]


def test_a_gap_ends_events_and_a_jump_across_it_is_none(make_series):
    x, valid = jumping(30.0), np.ones(300, dtype=bool)
    valid[85:100] = False  # the jump at 3 s
    values = measured(make_series, x, valid=valid).values
    # Two stretches of 85 and 200 frames; whole is only the fixation between 4.54 and 8 s.
    assert values["saccade_like_rate"] == pytest.approx(3 / ((84 + 199) / 30 / 60))
    assert values["fixation_duration"] == pytest.approx(3.46, abs=1.5 / 30)
    closed = np.zeros(300)
    closed[85:100] = 1
    assert measured(make_series, x, au45_present=closed).values == pytest.approx(values)


def test_a_hole_in_the_clock_is_a_gap_too():
    looks = directions(np.stack([np.radians(np.r_[np.zeros(30), np.full(30, 20.0)]), np.zeros(60)], axis=1))
    seconds = np.arange(60) / 30
    whole = find_movements(looks, np.ones(60, dtype=bool), seconds, step_s=1 / 30)
    seconds[30:] += 0.1
    holed = find_movements(looks, np.ones(60, dtype=bool), seconds, step_s=1 / 30)
    assert (len(whole.saccades), len(holed.saccades)) == (1, 0)
    assert len(holed.velocities) == len(whole.velocities) - 1


def test_outliers_drift_and_short_pauses_are_no_events(make_series):
    quiet = np.zeros(300)
    spike, drift = quiet.copy(), np.radians(np.linspace(0, 40, 300))  # 4 deg/s
    spike[100] = np.radians(20)  # out and back
    for x in (quiet, spike, drift):
        assert measured(make_series, x).values["saccade_like_rate"] == 0
    pause = jumping(60.0, jumps=((2.0, 10.0), (2.07, 20.0)))  # 10 degrees, 30 ms of rest, 10 degrees
    values = measured(make_series, pause, fps=60.0).values
    assert values["saccade_like_amplitude"] == pytest.approx(20, abs=1e-3)
    assert values["saccade_like_rate"] == pytest.approx(1 / ((10 - 1 / 60) / 60))


def test_noise_at_the_threshold_is_told_and_not_counted(make_series):
    x = np.radians(4.0) * np.random.default_rng(0).standard_normal(300)
    found = measured(make_series, x)
    assert found.values["gaze_velocity"] > 50
    assert set(found.gaps) == set(EyeMovements.names) - {"gaze_velocity"}
    assert all(reason.startswith("noise: the median velocity is ") for reason in found.gaps.values())


def test_a_slow_or_untimed_series_has_no_events(make_series):
    with pytest.raises(Unmeasurable, match="has 1 frames/s; events of the eyes need 15"):
        measured(make_series, np.zeros(300), fps=1.0)
    with pytest.raises(Unmeasurable, match="tells neither times nor a frame rate"):
        measured(make_series, np.zeros(300), fps=None)
    no_gaze = EyeMovements().measure(make_series(fps=30.0, au45=np.zeros(300)), recording="r")
    assert set(no_gaze.gaps) == set(EyeMovements.names)
