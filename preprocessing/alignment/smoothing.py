"""Smoothing of measurements at uneven times, without lag and never across a break."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from preprocessing.alignment.similarity import ComplexArray

_REACH = 3.0  # the kernel ends at three standard deviations


def runs(
    known: NDArray[np.bool_], starts: NDArray[np.bool_], seconds: NDArray[np.float64], *, longest_gap: float
) -> Iterator[slice]:
    """Yield the stretches of known frames without a start, a gap or a pause inside.

    Args:
        known: Frames ``(T,)`` with a measurement.
        starts: Frames ``(T,)`` where something new begins.
        seconds: Times ``(T,)``.
        longest_gap: A longer time from one frame to the next is a pause, in seconds.
    """
    pause = np.diff(seconds, prepend=-np.inf) > longest_gap
    first = known & (starts | pause | ~np.concatenate([[False], known[:-1]]))
    breaks = np.append(np.flatnonzero(first | ~known), len(known))
    for begin in np.flatnonzero(first):
        yield slice(int(begin), int(breaks[np.searchsorted(breaks, begin, side="right")]))


def smooth(values: ComplexArray, seconds: NDArray[np.float64], *, width: float) -> ComplexArray:
    """Local quadratic regression with Gaussian weights (Fan and Gijbels 1996), at each time itself.

    The value at time ``t`` is that of the parabola that fits the values around ``t`` best. Its kernel is
    symmetric, so nothing lags, and a steady or evenly accelerated motion passes unchanged, at the ends and at
    uneven times as well.

    Args:
        values: ``(T, K)``, one run.
        seconds: Times ``(T,)``, not falling.
        width: Standard deviation of the weights in seconds, above 0.
    """
    moments, products = _sums(values, seconds / width)
    fitted: ComplexArray = values.copy()
    # A parabola needs three different times close by; else the measurement stays as it is.
    order = np.arange(3)
    normal = moments[:, order[:, None] + order]
    solvable = np.linalg.cond(normal) < 1e9
    solved = np.linalg.solve(normal[solvable].astype(np.complex128), products[solvable])
    fitted[solvable] = solved[:, 0]
    return fitted


def _sums(values: ComplexArray, times: NDArray[np.float64]) -> tuple[NDArray[np.float64], ComplexArray]:
    """Weighted sums around each time: of powers 0-4 ``(T, 5)``, of powers 0-2 by value ``(T, 3, K)``."""
    count = len(times)
    moments = np.zeros((count, 5))
    products = np.zeros((count, 3, values.shape[1]), dtype=np.complex128)
    last = np.searchsorted(times, times + _REACH, side="right")
    for step in range(int(np.max(last - np.arange(count)))):
        here = np.arange(count - step)
        here = here[here + step < last[here]]
        away = times[here + step] - times[here]
        weight = np.exp(-0.5 * away**2)
        # each pair counts for both of its frames, once where they are the same
        for at, other, sign in ((here, here + step, 1), (here + step, here, -1))[: 1 if step == 0 else 2]:
            powers = weight[:, None] * (sign * away)[:, None] ** np.arange(5)
            moments[at] += powers
            products[at] += powers[:, :3, None] * values[other][:, None, :]
    return moments, products
