"""Calibration of stated probabilities over sweeps: slope of a logistic regression, and reliability.

    logit P(trial is the best) = a + b logit(p)

over all trials of all sweeps; b = 1 and a = 0 where probabilities hold, b < 1 where they are too sure (Cox,
Biometrika 1958). Trials of a sweep are not independent, so sweeps are resampled for the interval.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Array = NDArray[np.float64]

FLOOR = 0.001  # our choice: a smaller probability is read as this one, from 200 to 4,000 draws alike
RESAMPLES = 2000
_STEPS, _CLOSE = 30, 1e-9


class Stated(NamedTuple):
    """Stated probabilities (N,) of all trials, whether each came true (N,), and the sweep (N,) of each."""

    p: Array
    true: Array
    sweep: NDArray[np.int64]

    def part(self, sweeps: NDArray[np.int64]) -> "Stated":
        """Those of some sweeps."""
        own = np.isin(self.sweep, sweeps)
        return Stated(self.p[own], self.true[own], np.unique(self.sweep[own], return_inverse=True)[1])


class Slope(NamedTuple):
    """Slope with its 95 % interval over sweeps, and how many there are."""

    value: float
    low: float
    high: float
    sweeps: int

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def slope(stated: Stated, *, seed: int = 0) -> Slope:
    """The calibration slope, with percentiles over resampled sweeps.

    A resample takes one of Newton's steps from the slope of all sweeps, which is close to its own slope where
    sweeps are many, and costs sums over sweeps alone.

    Args:
        stated: Probabilities and outcomes.
        seed: Of the resampling.
    """
    x = logit(np.clip(stated.p, FLOOR, 1 - FLOOR))
    found = logistic(x, stated.true)
    p = expit(found[0] + found[1] * x)
    count = int(stated.sweep.max()) + 1
    parts = (stated.true - p, (stated.true - p) * x, *(p * (1 - p) * x**power for power in range(3)))
    sums = np.stack([np.bincount(stated.sweep, part, count) for part in parts], axis=1)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES) @ sums
    g0, g1, h0, h1, h2 = drawn.T
    draws = found[1] + (h0 * g1 - h1 * g0) / (h0 * h2 - h1**2)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Slope(float(found[1]), float(low), float(high), count)


def logistic(x: Array, y: Array) -> Array:
    """Intercept and slope (2,) of a logistic regression of y (N,) in {0, 1} on x (N,), by Newton's steps.

    Examples:
        >>> logistic(np.array([-1.0, -1, -1, -1, 1, 1, 1, 1]), np.array([0.0, 0, 0, 1, 0, 1, 1, 1])).round(3)
        array([0.   , 1.099])
    """
    found = np.array([0.0, 1.0])
    for _ in range(_STEPS):
        p = expit(found[0] + found[1] * x)
        curve = p * (1 - p)
        cross = float(curve @ x)
        information = np.array([[curve.sum(), cross], [cross, float(curve @ (x * x))]])
        step = np.linalg.solve(information, np.array([(y - p).sum(), float((y - p) @ x)]))
        found = found + step
        if np.abs(step).max() < _CLOSE:
            break
    return found


class Bin(NamedTuple):
    """Trials with similar stated probabilities: how many, the mean stated, and the share that came true."""

    trials: int
    stated: float
    true: float


def reliability(stated: Stated, edges: Array) -> list[Bin]:
    """Bins between edges of the stated probability, those that hold trials."""
    place = np.digitize(stated.p, edges)
    bins = [place == one for one in np.unique(place)]
    return [Bin(int(b.sum()), float(stated.p[b].mean()), float(stated.true[b].mean())) for b in bins]
