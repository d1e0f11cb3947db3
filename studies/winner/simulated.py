r"""Simulated sweeps whose best trial is known, as tables of predictions; nothing is trained.

A trial has a quality t, a trained model t plus that of its seed, N(0, omega^2). A model sees d y + e of a
recording with a binary target y, where d grows with the quality, or y + sigma e of a score y ~ N(0, 1), where
sigma falls with it. The errors e ~ N(0, 1) have a part that all models share, one of the trial and one of the
seed, each of the person and of the visit. What a trial is worth in the population, over persons and seeds:

    AUC  \Phi(d / sqrt(2 + omega^2))        MAE  E sigma sqrt(2 / pi)        CCC  E 2 / (2 + sigma^2)

all of them monotone in t, so that the best trial is the one of the greatest t. Letters: `K` trials, `M`
trained models, `P` persons, `V` visits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from evaluation.comparison.sweep_table import SweepTable
from evaluation.metrics.applicable import Measurement
from evaluation.metrics.catalog import METRICS

Array = NDArray[np.float64]

SHAPES = ("normal", "landscape", "failed")
_METRICS = ("auc", "auc", "mae", "ccc")  # AUC twice: what sweeps here choose by
_FAILED, _BEHIND = 0.15, 6.0  # share of failed trials, and how many spreads they lie behind
_NODES = 15  # of the quadrature over seeds


@dataclass(frozen=True)
class Setting:
    """One simulated sweep: sizes, spreads on the scale of d or 2 log sigma, and how errors are shared.

    Attributes:
        metric: What chooses.
        shape: Of the qualities: `normal`, `landscape` (two hyperparameters around an optimum), or `failed`
            (normal, with trials far behind).
        trials: K.
        persons: P.
        visits: V.
        seeds: Of a trial, at most.
        ragged: Whether trials lack seeds.
        tau: Spread of the qualities.
        omega: Spread of the seeds.
        common: Share of the errors' variance that all models have in common.
        habit: Share of the errors' variance that a person's visits have in common.
    """

    metric: str
    shape: str
    trials: int
    persons: int
    visits: int
    seeds: int
    ragged: bool
    tau: float
    omega: float
    common: float
    habit: float


def setting(rng: np.random.Generator) -> Setting:
    """Draw a setting: 5 to 40 trials, 15 to 100 persons, 1 to 4 visits, 1 to 5 seeds."""
    return Setting(
        metric=str(rng.choice(_METRICS)), shape=str(rng.choice(SHAPES)), trials=int(rng.integers(5, 41)),
        persons=int(rng.integers(15, 101)), visits=int(rng.integers(1, 5)), seeds=int(rng.integers(1, 6)),
        ragged=bool(rng.random() < 0.25), tau=float(np.exp(rng.uniform(np.log(0.02), np.log(0.6)))),
        omega=float(np.exp(rng.uniform(np.log(0.02), np.log(0.3)))), common=float(rng.uniform(0.3, 0.9)),
        habit=float(rng.uniform(0.2, 0.8)),
    )  # fmt: skip


def simulate(rng: np.random.Generator, own: Setting) -> tuple[SweepTable, Array]:
    """A sweep and what its trials (K,) are worth in the population, in the unit of the metric."""
    quality = qualities(rng, own)
    counts = rng.integers(1, own.seeds + 1, own.trials) if own.ragged else np.full(own.trials, own.seeds)
    trial_of = np.repeat(np.arange(own.trials), counts)
    trained = quality[trial_of] + own.omega * rng.standard_normal(len(trial_of))
    error = errors(rng, own, trial_of)
    if own.metric == "auc":
        target, base = labels(rng, own), rng.uniform(0.4, 1.8)
        predicted = (base + trained)[:, None, None] * target + error
        true = norm.cdf((base + quality) / np.sqrt(2 + own.omega**2))
    else:
        target, base = _mixed(rng, own, 0.6), rng.uniform(-1.0, 0.3)
        predicted = target + np.exp(base - trained / 2)[:, None, None] * error
        true = _worth(own, base - quality / 2)
    return _table(own, target, predicted, trial_of), true


def qualities(rng: np.random.Generator, own: Setting) -> Array:
    """Qualities (K,) of the trials, with a spread of about tau."""
    if own.shape == "landscape":
        far = rng.uniform(-1, 1, (own.trials, 2)) - rng.uniform(-0.5, 0.5, 2)
        worth = -(far**2).sum(axis=1)
        found: Array = own.tau * (worth - worth.mean()) / 0.3
        return found
    found = own.tau * rng.standard_normal(own.trials)
    if own.shape == "failed":
        found[rng.random(own.trials) < _FAILED] -= _BEHIND * own.tau
    return found


def errors(rng: np.random.Generator, own: Setting, trial_of: NDArray[np.int64]) -> Array:
    """Errors (M, P, V) with variance 1; what is not common belongs to the trial and the seed, half each."""
    shares = (own.common, (1 - own.common) / 2, (1 - own.common) / 2)
    counts = (1, own.trials, len(trial_of))
    parts = [np.stack([_mixed(rng, own, own.habit) for _ in range(count)]) for count in counts]
    common, of_trial, of_seed = (np.sqrt(share) * part for share, part in zip(shares, parts, strict=True))
    total: Array = common + of_trial[trial_of] + of_seed
    return total


def labels(rng: np.random.Generator, own: Setting) -> Array:
    """Labels (P, V) of the persons, at least three positive, or of the visits of persons who differ."""
    prevalence = rng.uniform(0.2, 0.5)
    if rng.random() < 0.5:
        positive = rng.permutation(own.persons) < max(3, round(prevalence * own.persons))
        return np.repeat(positive[:, None], own.visits, axis=1).astype(np.float64)
    differing: Array = (_mixed(rng, own, 0.6) < norm.ppf(prevalence)).astype(np.float64)
    return differing


def _mixed(rng: np.random.Generator, own: Setting, share: float) -> Array:
    """Normal values (P, V) with variance 1, of which persons hold a share."""
    of_person = rng.standard_normal((own.persons, 1))
    of_visit = rng.standard_normal((own.persons, own.visits))
    found: Array = np.sqrt(share) * of_person + np.sqrt(1 - share) * of_visit
    return found


def _worth(own: Setting, log_sigma: Array) -> Array:
    """Mean MAE or CCC (K,) over seeds, by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    sigma = np.exp(log_sigma[:, None] - own.omega * nodes / 2)
    each = sigma * np.sqrt(2 / np.pi) if own.metric == "mae" else 2 / (2 + sigma**2)
    mean: Array = each @ weights / weights.sum()
    return mean


def _table(own: Setting, target: Array, predicted: Array, trial_of: NDArray[np.int64]) -> SweepTable:
    everything = np.ones(target.size, dtype=np.bool_)
    models = tuple(
        Measurement(str(number), METRICS[own.metric], everything, target.ravel(), one.ravel())
        for number, one in enumerate(predicted)
    )
    persons = np.repeat(np.arange(own.persons), own.visits)
    return SweepTable(METRICS[own.metric], tuple(range(own.trials)), models, trial_of, persons, {})
