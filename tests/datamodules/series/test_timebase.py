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


def test_frames_left_out_become_rows_and_frames_skipped_do_not():
    line = timeline(FILE, 4, frames=np.array([1.0, 2, 5, 6]), first=1, fps=10)
    assert (line.position.tolist(), line.length, line.fps) == ([0, 1, 4, 5], 6, 10)
    np.testing.assert_allclose(line.seconds, np.arange(6) / 10)
    line = timeline(FILE, 4, frames=np.array([1.0, 4, 7, 13]), first=1, fps=30)
    assert (line.position.tolist(), line.length, line.fps) == ([0, 1, 2, 4], 5, 10)


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
