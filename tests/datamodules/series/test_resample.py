import numpy as np
import pytest
from scipy.interpolate import interp1d

from datamodules.series import Series
from datamodules.series.resample import resample

CHANNELS = ("au04", "au04_present", "gaze_x")


def make(rows: int, fps: float = 30.0, valid=None, seconds=None) -> Series:
    rng = np.random.default_rng(rows)
    values = rng.normal(size=(rows, 3)).astype(np.float32)
    values[:, 1] = values[:, 1] > 0
    valid = np.ones(rows, dtype=bool) if valid is None else valid
    values[~valid] = 0
    seconds = np.arange(rows) / fps if seconds is None else seconds
    return Series(values=values, channels=CHANNELS, valid=valid, fps=fps, seconds=seconds)


@pytest.mark.parametrize("fps", [10.0, 25.0, 30.0, 47.0])
def test_complete_series_agree_with_numpy_and_scipy(fps):
    series = make(60)
    found = resample(series, fps=fps, max_gap_s=0)
    times = np.arange(int(59 / 30 * fps + 1e-6) + 1) / fps
    assert found.valid.all()
    assert found.fps == fps
    np.testing.assert_allclose(found.seconds, times)
    for number in (0, 2):
        expected = np.interp(times, series.seconds, series.values[:, number])
        np.testing.assert_allclose(found.values[:, number], expected, atol=1e-6)
    nearest = interp1d(series.seconds, series.values[:, 1], kind="nearest")(times)
    assert np.array_equal(found.values[:, 1], nearest)


def test_only_gaps_up_to_the_limit_are_bridged():
    valid = np.ones(60, dtype=bool)
    valid[[5, 20, 21, 22, 40, 41, 42, 43]] = False
    series = make(60, valid=valid)
    found = resample(series, fps=None, max_gap_s=0.1)  # three frames at 30 frames/s
    assert np.flatnonzero(~found.valid).tolist() == [40, 41, 42, 43]
    assert (found.values[40:44] == 0).all()
    bridged = [5, 20, 21, 22]
    expected = np.interp(series.seconds[bridged], series.seconds[valid], series.values[valid, 2])
    np.testing.assert_allclose(found.values[bridged, 2], expected, atol=1e-6)
    np.testing.assert_allclose(found.values[valid], series.values[valid], atol=1e-6)
    assert np.array_equal(resample(series, fps=None, max_gap_s=0).valid, valid)


def test_rows_around_a_long_gap_keep_their_own_values():
    valid = np.ones(60, dtype=bool)
    valid[20:40] = False
    series = make(60, valid=valid)
    found = resample(series, fps=60.0, max_gap_s=0.1)
    outside = found.valid & (found.seconds > 19 / 30 - 1e-9) & (found.seconds < 40 / 30 + 1e-9)
    at = found.seconds[outside] * 30
    assert at.min() == pytest.approx(19)
    assert at.max() == pytest.approx(40)
    assert ((at < 19.51) | (at > 39.49)).all()
    for time, row in zip(at, found.values[outside], strict=True):
        np.testing.assert_allclose(row, series.values[19 if time < 30 else 40], atol=1e-6)


def test_nothing_is_made_up_before_the_first_and_after_the_last_measurement():
    valid = np.ones(60, dtype=bool)
    valid[:10] = valid[50:] = False
    found = resample(make(60, valid=valid), fps=30.0, max_gap_s=9.0)
    assert np.array_equal(found.valid, valid)
    nothing = resample(make(60, valid=np.zeros(60, dtype=bool)), fps=10.0, max_gap_s=9.0)
    assert len(nothing.values) == 20
    assert not nothing.valid.any()


def test_uneven_times_with_holes_are_read_by_the_clock():
    seconds = np.concatenate([np.arange(30) / 30, 2 + np.arange(30) / 30])  # rows of a second are missing
    series = make(60, seconds=seconds)
    found = resample(series, fps=30.0, max_gap_s=0.2)
    assert len(found.values) == 90
    assert np.flatnonzero(~found.valid).tolist() == list(range(30, 60))
    wide = resample(series, fps=30.0, max_gap_s=1.1)
    assert wide.valid.all()
    expected = np.interp(np.arange(90) / 30, seconds, series.values[:, 0])
    np.testing.assert_allclose(wide.values[:, 0], expected, atol=1e-6)


def test_times_rounded_to_milliseconds_lose_no_row():
    series = make(158, seconds=np.round(np.arange(158) / 30, 3))
    found = resample(series, fps=30.0, max_gap_s=0)
    assert len(found.values) == 158
    assert found.valid.all()


def test_a_single_measurement_and_a_series_without_time():
    single = resample(make(1), fps=10.0, max_gap_s=1.0)
    assert single.valid.tolist() == [True]
    timeless = Series(values=np.ones((3, 3)), channels=CHANNELS, valid=np.ones(3, bool), fps=None)
    with pytest.raises(ValueError, match="neither times nor a rate"):
        resample(timeless, fps=10.0, max_gap_s=0)
