import numpy as np
import pytest

from datamodules.xray.clocks import clock_of


def clock(times, *, per_second=1e3, frames=None, stated=None):
    return clock_of(np.asarray(times, dtype=float), per_second=per_second, frames=frames, stated=stated)


def test_an_even_clock_tells_rate_and_span():
    found = clock(np.arange(200) * 40)
    assert found.rate == pytest.approx(25)
    assert found.span == pytest.approx(8)
    assert (found.slow, found.backs) == (None, 0)


@pytest.mark.parametrize("seed", range(20))
def test_trembling_rounding_and_gaps_are_no_change(seed):
    rng = np.random.default_rng(seed)
    times = np.round(np.cumsum(rng.normal(40, 4, 400)))
    times[rng.integers(50, 300) :] += 900
    found = clock(times)
    assert found.slow is None
    assert found.rate == pytest.approx(25, rel=0.03)


def test_a_change_is_told_with_both_rates():
    found = clock(np.cumsum(np.r_[np.full(150, 40), np.full(150, 60)]))
    assert found.fast == (pytest.approx(25), 0)
    assert found.slow[0] == pytest.approx(1000 / 60)
    assert found.slow[1] >= 140


def test_lost_frames_are_no_slow_steps():
    frames = np.r_[1:101, 101:401:2].astype(float)
    found = clock(frames / 30, per_second=1.0, frames=frames)
    assert found.rate == pytest.approx(30)
    assert found.slow is None


def test_times_that_go_back_are_told_by_their_first_row():
    found = clock(np.r_[np.arange(50), np.arange(50)] * 40.0)
    assert (found.back, found.backs, found.rate) == (50, 1, None)


def test_nothing_tells_nothing():
    assert clock_of(None, per_second=1, frames=None, stated=None) is None
    assert clock(np.zeros(50)) is None
    assert clock(np.zeros(50), stated=30.0).stated == 30
