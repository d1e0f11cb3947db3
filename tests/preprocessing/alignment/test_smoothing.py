"""Local quadratic regression against weighted fits by numpy, and what it does to time."""

import numpy as np
import pytest

from preprocessing.alignment.smoothing import runs, smooth


def _uneven(rng, total):
    return np.cumsum(rng.choice([0.011, 0.041, 0.083], total))


def test_each_value_is_that_of_the_weighted_parabola():
    rng = np.random.default_rng(1)
    seconds = _uneven(rng, 60)
    values = rng.normal(size=(60, 2)) + 1j * rng.normal(size=(60, 2))
    fitted = smooth(values, seconds, width=0.1)
    for at in (0, 3, 30, 59):
        near = np.abs(seconds - seconds[at]) <= 0.3
        weight = np.exp(-0.25 * ((seconds[near] - seconds[at]) / 0.1) ** 2)  # numpy squares it
        for part in (np.real, np.imag):
            line = np.polyfit(seconds[near] - seconds[at], part(values[near, 0]), 2, w=weight)
            assert part(fitted[at, 0]) == pytest.approx(line[-1], abs=1e-8)


def test_steady_and_accelerated_moves_pass_unchanged_at_uneven_times():
    seconds = _uneven(np.random.default_rng(2), 80)
    values = (3 - 2 * seconds + 4 * seconds**2 + 1j * seconds)[:, None]
    np.testing.assert_allclose(smooth(values, seconds, width=0.1), values, atol=1e-9)


def test_too_few_neighbors_leave_the_measurement():
    values = np.arange(4)[:, None] * (1 + 1j)
    for seconds in (np.arange(4) * 2.0, np.zeros(4)):
        np.testing.assert_allclose(smooth(values, seconds, width=0.1), values)
    np.testing.assert_allclose(smooth(values[:2], np.array([0, 0.1]), width=0.1), values[:2])


def _lag(true, measured):
    """Frames by which the measured motion is late: the peak of the cross-correlation."""
    true, measured = true - true.mean(), measured - measured.mean()
    return int(np.argmax(np.correlate(measured, true, mode="full"))) - (len(true) - 1)


@pytest.mark.parametrize("hertz", [0.3, 1.0, 2.0])
def test_nothing_lags(hertz):
    rng = np.random.default_rng(3)
    seconds = np.arange(300) / 30
    sine = np.sin(2 * np.pi * hertz * seconds)
    step = np.tanh((seconds - 5) / 0.05)
    for true in (sine, step):
        noisy = true + 0.05 * rng.standard_normal(300)
        fitted = smooth(noisy[:, None].astype(complex), seconds, width=0.1)[:, 0].real
        assert _lag(true, fitted) == 0
    # a nod of 1 Hz keeps 98 % of its amplitude
    if hertz == 1.0:
        clean = smooth(sine[:, None].astype(complex), seconds, width=0.1)[30:270, 0].real
        assert np.sum(clean * sine[30:270]) / np.sum(sine[30:270] ** 2) == pytest.approx(0.983, abs=0.005)


def test_runs_end_at_gaps_starts_and_pauses():
    known = np.array([0, 1, 1, 0, 1, 1, 1, 1, 1, 0], bool)
    starts = np.zeros(10, bool)
    starts[6] = True
    seconds = np.arange(10) / 10.0
    seconds[8:] += 1
    found = list(runs(known, starts, seconds, longest_gap=0.2))
    assert found == [slice(1, 3), slice(4, 6), slice(6, 8), slice(8, 9)]
    assert list(runs(np.zeros(3, bool), starts[:3], seconds[:3], longest_gap=0.2)) == []
    assert list(runs(np.ones(3, bool), starts[:3], seconds[:3], longest_gap=0.2)) == [slice(0, 3)]
