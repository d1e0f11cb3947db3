from pathlib import Path

import numpy as np
import pytest

from datamodules.series import UnreadableSeries
from datamodules.series.timebase import rate, timeline

FILE = Path("a.csv")


@pytest.mark.parametrize("fps", [15, 25, 29.97, 30, 60])
def test_rates_survive_rounding_to_milliseconds_and_gaps(fps):
    frames = np.delete(np.arange(2000), slice(300, 700))
    seconds = np.round(frames / fps, 3)
    assert rate(seconds, frames) == pytest.approx(fps, rel=1e-4)
    assert rate(seconds) == pytest.approx(fps, rel=1e-3)  # without frame numbers the gap is left out
    assert rate(seconds[:1]) is None


def test_steps_far_from_their_median_have_a_rate():
    assert rate(np.array([0.0, 2.0, 12.0])) == pytest.approx(1 / 6)


def test_frames_left_out_become_rows_and_frames_skipped_do_not():
    line = timeline(FILE, 4, frames=np.array([1.0, 2, 5, 6]), first=1, fps=10)
    assert (line.position.tolist(), line.length, line.fps) == ([0, 1, 4, 5], 6, 10)
    np.testing.assert_allclose(line.seconds, np.arange(6) / 10)
    line = timeline(FILE, 4, frames=np.array([1.0, 4, 7, 13]), first=1, fps=30)
    assert (line.position.tolist(), line.length, line.fps) == ([0, 1, 2, 4], 5, 10)


@pytest.mark.parametrize(
    ("frames", "first", "position"),
    [
        ([5, 10, 15, 20], 1, [0, 1, 2, 3]),
        ([2, 4, 6, 10], 1, [0, 1, 2, 4]),
        ([12, 36, 60], 0, [0, 1, 2]),
        ([21, 31, 41, 61], 1, [2, 3, 4, 6]),  # two of the skipped series come before
        ([300, 600, 900], 1, [0, 1, 2]),
        ([5, 10, 16, 20], 1, [4, 9, 15, 19]),
    ],
)
def test_frames_skipped_from_any_frame_on_are_a_lower_rate(frames, first, position):
    line = timeline(FILE, len(frames), frames=np.array(frames, float), first=first, fps=30)
    skip = np.gcd.reduce(np.diff(frames))
    assert (line.position.tolist(), line.fps, line.notes) == (position, 30 / skip, ())


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (
            [0, 0.033, 0.033, 0.1],
            r"time 0\.033 in row 2 comes after 0\.033, the same again \(1 such rows\).*rounded",
        ),
        ([0, 0.01, 0.02, 0.02, 0.03, 0.03], r"row 3 .*\(2 such rows\); where times are rounded.*fill 'fps'"),
        ([0, 0.033, 0.066, 0], r"time 0 in row 3 comes after 0\.066 and begins anew: two tables"),
        ([0, 0.033, 0.066, 0.033, 0.1], "sort the rows"),
    ],
)
def test_times_that_repeat_fall_or_begin_anew_are_told_apart(seconds, said):
    with pytest.raises(UnreadableSeries, match=said):
        timeline(FILE, len(seconds), seconds=np.array(seconds, float))


def test_an_own_clock_wins_over_the_rate_of_the_video():
    line = timeline(FILE, 3, seconds=np.array([5.0, 5.5, 6.0]), fps=30)
    assert line.fps == pytest.approx(2)
    assert line.seconds.tolist() == [5.0, 5.5, 6.0]
    assert timeline(FILE, 3).seconds is None


def test_rows_before_the_first_are_timed_backwards():
    line = timeline(FILE, 2, frames=np.array([4.0, 5]), first=1, seconds=np.array([1.3, 1.4]))
    np.testing.assert_allclose(line.seconds, [1.0, 1.1, 1.2, 1.3, 1.4])


@pytest.mark.parametrize("frames", [[1.0, 1.5], [1.0, np.nan], [1.0, 2.0, 1e9], [2.0, 1.0], [1.0, 1.0]])
def test_frame_numbers_that_cannot_be(frames):
    with pytest.raises(UnreadableSeries, match=r"a\.csv: .*frame"):
        timeline(FILE, len(frames), frames=np.array(frames), first=1)
