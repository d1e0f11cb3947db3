r"""True values of the trials of a sweep, given what was measured on few persons with few seeds.

The observed winner owes part of its lead to luck, so the share of resamples in which a trial is on top is not
the probability that it is the best. With y (K,) the mean value of each trial over its S_k seeds,

    y_k = \theta_k + seeds + persons,    \theta_k ~ N(\mu, \tau^2),  seeds ~ N(0, \omega^2 / S_k),
                                         persons ~ N(0, V), the same persons for all trials

and every trial is drawn towards the mean of all as far as y is noise (James and Stein; Efron and Morris,
JASA 1975). Only differences of trials matter: with B (K - 1, K) orthonormal contrasts, \mu drops out:

    B y ~ N(0, B V B' + \omega^2 B D B' + \tau^2 I),    D = diag(1 / S_k)

The spread of the seeds around the mean of their trial, W = \sum (y_ks - y_k)^2, is (\omega^2 + t / \nu)
times \chi^2 of \nu degrees of freedom, \nu the seeds beyond the first, t what persons alone make of it.

Published: that normal model; half-Cauchy priors of standard deviations (Gelman, Bayesian Analysis 2006); V
shrunk towards equal variances (OAS: Chen, Wiesel, Eldar and Hero, IEEE TSP 2010), as more trials than persons
would leave directions free of noise. Ours: the scales of the priors, in units of the noise u of persons (u
for \tau, u / 2 for \omega, as training again moves a score less than other test data do: Bouthillier et al.,
MLSys 2021); W taken as independent of y.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import helmert

Array = NDArray[np.float64]

DRAWS = 4000  # our choice: a probability is known to .008
_TAU_SCALE, _OMEGA_SCALE = 1.0, 0.5  # of the priors, in units of the noise of persons
_TAUS, _OMEGAS = 24, 8  # points of the grid: twice as many moved no probability by .02
_LEAST = 0.05  # of the noise of persons: below it trials and seeds are as good as equal


class Scatter(NamedTuple):
    """Trained models and how their values scatter over persons.

    Attributes:
        values: Of each model (M,), higher is better.
        covariance: Over samples of persons (M, M).
        persons: Persons that the covariance rests on, those of the smallest class where there are classes.
        trial_of: Trial (M,) of each model, from 0.
    """

    values: Array
    covariance: Array
    persons: int
    trial_of: NDArray[np.int64]


class Truths(NamedTuple):
    """Draws (R, K) of the true values, up to a shift common to all trials, and the spread of seeds."""

    draws: Array
    seed_sd: float


def true_values(scatter: Scatter, *, draws: int = DRAWS, seed: int = 0) -> Truths:
    """Draw the true values of all trials from what is known of them.

    Args:
        scatter: Of two trials or more.
        draws: R.
        seed: Of the draws.

    Raises:
        ValueError: Resampling persons changes no difference of two trials, while they differ.
    """
    means = _means(scatter.trial_of)
    values, v = means @ scatter.values, means @ scatter.covariance @ means.T
    contrasts = helmert(len(values))
    noise = _oas(contrasts @ v @ contrasts.T, max(1, scatter.persons - 1))
    unit = float(np.sqrt(np.trace(noise) / len(noise)))
    if unit <= 1e-12 * max(1.0, float(np.abs(values).max())):
        if np.ptp(values) > 0:
            raise ValueError("resampling persons changes no difference, so the noise is not known")
        return Truths(np.zeros((draws, len(values))), 0.0)
    y, counts = contrasts @ values, means.astype(bool).sum(axis=1)
    taus = unit * np.geomspace(_LEAST, max(10.0, 4 * values.std() / unit), _TAUS)
    within = _within(scatter, means)
    omegas = unit * np.geomspace(_LEAST, max(6.0, 3 * within.spread / unit), _OMEGAS)
    seeds = contrasts @ np.diag(1 / counts) @ contrasts.T
    spectra = [_spectrum(noise + omega**2 * seeds, y) for omega in omegas]
    logs = np.stack(
        [
            _evidence(one, taus) + _prior(taus, _TAU_SCALE * unit) + _prior(omega, _OMEGA_SCALE * unit)
            + within.evidence(omega)
            for one, omega in zip(spectra, omegas, strict=True)
        ]
    )  # fmt: skip
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    rng = np.random.default_rng(seed)
    times = rng.multinomial(draws, weights.ravel()).reshape(weights.shape)
    found = [_draw(one, np.repeat(taus, n), rng) for one, n in zip(spectra, times, strict=True)]
    seed_sd = within.seed_sd if within.df else float(weights.sum(axis=1) @ omegas)
    return Truths(np.concatenate(found) @ contrasts, seed_sd)


class _Spectrum(NamedTuple):
    """Eigenvalues (K - 1,) of the noise, its eigenvectors, and the contrasts in their coordinates."""

    noise: Array
    axes: Array
    values: Array


class _Within(NamedTuple):
    """Spread of seeds around their trial: its sum of squares, what persons make of it, its df."""

    squares: float
    persons: float
    df: int

    @property
    def spread(self) -> float:
        return float(np.sqrt(self.squares / self.df)) if self.df else 0.0

    @property
    def seed_sd(self) -> float:
        """Moment estimate of the spread of seeds, what persons make of it taken off."""
        return float(np.sqrt(max(0.0, self.squares - self.persons) / self.df))

    def evidence(self, omega: float) -> float:
        """Log likelihood of the spread of seeds; 0 where every trial has one."""
        if not self.df:
            return 0.0
        variance = omega**2 + self.persons / self.df
        return float(-0.5 * (self.df * np.log(variance) + self.squares / variance))


def _means(trial_of: NDArray[np.int64]) -> Array:
    """Matrix (K, M) that averages the models of each trial."""
    own = (trial_of == np.arange(trial_of.max() + 1)[:, None]).astype(np.float64)
    means: Array = own / own.sum(axis=1, keepdims=True)
    return means


def _within(scatter: Scatter, means: Array) -> _Within:
    counts = means.astype(bool).sum(axis=1)
    own = scatter.values - (means @ scatter.values)[scatter.trial_of]
    of_means = np.diag(means @ scatter.covariance @ means.T)
    left = max(0.0, float(np.trace(scatter.covariance) - counts @ of_means))
    return _Within(float(own @ own), left, len(own) - len(means))


def _oas(covariance: Array, n: int) -> Array:
    """The covariance (p, p) of n independent observations, shrunk towards p equal variances."""
    p = len(covariance)
    if p == 1:
        return covariance
    squares, trace = float((covariance**2).sum()), float(np.trace(covariance))
    gap = (n + 1 - 2 / p) * (squares - trace**2 / p)
    share = min(1.0, ((1 - 2 / p) * squares + trace**2) / gap) if gap > 0 else 1.0
    shrunk: Array = (1 - share) * covariance + share * trace / p * np.eye(p)
    return shrunk


def _prior(sd: Array | float, scale: float) -> Array:
    """Log density of the logarithm of a half-Cauchy standard deviation, on whose scale the grid is even."""
    log: Array = np.log(sd) - np.log1p((np.asarray(sd) / scale) ** 2)
    return log


def _spectrum(noise: Array, y: Array) -> _Spectrum:
    found, axes = np.linalg.eigh(noise)
    return _Spectrum(np.maximum(found, 0.0), axes, axes.T @ y)


def _evidence(own: _Spectrum, taus: Array) -> Array:
    """Log likelihood (T,) of the contrasts under each spread of the trials."""
    total = own.noise[:, None] + taus**2
    log: Array = -0.5 * (np.log(total) + own.values[:, None] ** 2 / total).sum(axis=0)
    return log


def _draw(own: _Spectrum, taus: Array, rng: np.random.Generator) -> Array:
    """A draw of the true contrasts (R, K - 1) for each spread of the trials (R,)."""
    kept = taus[:, None] ** 2 / (own.noise + taus[:, None] ** 2)
    drawn = kept * own.values + np.sqrt(kept * own.noise) * rng.standard_normal(kept.shape)
    back: Array = drawn @ own.axes.T
    return back
