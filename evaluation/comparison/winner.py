"""Would the winner of a sweep win again, with other persons and other seeds?

The trial with the best validation value is not the best trial for sure: persons are few, seeds fewer, and of
many trials one is lucky. Persons are drawn with replacement, the same for all trials and seeds; what these
draws say of the noise, and the spread of seeds around their trials, gives the true values of the trials
(`rank_one`). How well its probabilities hold is in `docs/results/winner.md`. Letters: `K` trials, `M` trained
models, `R` draws.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from evaluation.comparison.rank_one import DRAWS, Scatter, Truths, true_values
from evaluation.comparison.sweep_table import SweepTable, read_sweep
from evaluation.metrics.applicable import Resampler
from evaluation.uncertainty.bootstrap import LEVEL, MIN_DEFINED, Estimate
from evaluation.uncertainty.confidence_intervals import FEWEST_PERSONS, estimate, limits, within
from evaluation.uncertainty.jackknife import LeftOut, leave_one_out, left_out, mean

Array = NDArray[np.float64]

RESAMPLES = 200  # our choice: a covariance of so many draws is better known than one of 15 to 100 persons
APART = 0.05  # our choice: a trial that is better than the winner with less is told apart from it
_BLOCK = 250_000  # weights held at once


@dataclass(frozen=True)
class RankedTrial:
    """A trial of a sweep.

    Attributes:
        trial: Its name.
        seeds: Trained models.
        value: Mean of the metric over them.
        low: Lower end of the 95 % interval of that mean, over persons and, where a trial has several, seeds;
            None where there is none.
        high: Upper end.
        expected: What to expect of it with other persons and seeds: less than the value for a lucky trial.
        probability: That it is the best of all trials.
        regret: What choosing it is expected to cost against the best, in the unit of the metric.
        together: Whether it cannot be told apart from the winner.
    """

    trial: Hashable
    seeds: int
    value: float
    low: float | None
    high: float | None
    expected: float | None = None
    probability: float | None = None
    regret: float | None = None
    together: bool = True


@dataclass(frozen=True)
class Winner:
    """A sweep judged by one metric.

    Attributes:
        metric: Its name.
        trials: Best value first: the first one is the winner.
        absent: Why a trial has no value, by its name.
        seed_sd: Spread of seeds within a trial.
        seeds_seen: Whether a trial has several seeds; else their spread is a guess from the prior.
        reason: Why there are no probabilities.
    """

    metric: str
    trials: tuple[RankedTrial, ...]
    absent: Mapping[Hashable, str]
    seed_sd: float | None = None
    seeds_seen: bool = False
    reason: str | None = None

    @property
    def winner(self) -> RankedTrial | None:
        """The trial with the best value, the first one of equals; None where no trial has a value."""
        return self.trials[0] if self.trials else None

    @property
    def together(self) -> tuple[RankedTrial, ...]:
        """Trials that cannot be told apart from the winner, itself among them."""
        return tuple(one for one in self.trials if one.together)


def would_win_again(table: pd.DataFrame, metric: str, *, seed: int = 0) -> Winner:
    """Judge the trials of a sweep by their validation predictions.

    Args:
        table: `trial, seed, subject_id, recording_id, target, prediction`, a row for every recording of every
            trained model (`sweep_table`).
        metric: Name in the catalog, such as `auc`, `mae`, `ccc`.
        seed: Of the draws.

    Raises:
        ValueError: As `read_sweep`.

    Examples:
        >>> rows = [(t, 0, p, p, p % 2, p % 2 + e) for t, e in (("a", 0), ("b", 0)) for p in range(8)]
        >>> names = ["trial", "seed", "subject_id", "recording_id", "target", "prediction"]
        >>> found = would_win_again(pd.DataFrame(rows, columns=names), "auc")
        >>> found.winner.trial, round(found.winner.probability, 1), found.winner.regret
        ('a', 0.5, 0.0)
    """
    sweep = read_sweep(table, metric)
    if not sweep.trials:
        reasons = sorted(set(sweep.absent.values()))
        return Winner(metric, (), sweep.absent, reason=f"no trial has a value: {reasons[0]}")
    sign = 1.0 if sweep.metric.higher_is_better else -1.0
    seen = len(sweep.models) > len(sweep.trials)
    truths = judge(sweep, resampled_values(sweep, seed=seed), seed=seed)
    if isinstance(truths, str):
        rows = sorted(_rows(sweep, 0.0), key=lambda row: -sign * row.value)
        return Winner(metric, tuple(rows), sweep.absent, None, seen, truths)
    rows = _judged(_rows(sweep, truths.seed_sd if seen else 0.0), truths.draws, sign)
    rows.sort(key=lambda row: -sign * row.value)  # stable: the first of equals stays the first
    return Winner(metric, tuple(rows), sweep.absent, truths.seed_sd, seen)


def judge(sweep: SweepTable, resampled: Array, *, seed: int = 0) -> Truths | str:
    """Draws of the true values of the trials, higher is better, or the reason why there are none.

    Args:
        sweep: Its trials.
        resampled: The metric (R, M) of resampled persons, from `resampled_values`.
        seed: Of the draws.
    """
    if len(sweep.trials) == 1:
        return Truths(np.zeros((DRAWS, 1)), 0.0)
    persons = int(sweep.persons.max()) + 1
    if persons < FEWEST_PERSONS:
        return f"only {persons} persons: the noise of trials is not known"
    sign = 1.0 if sweep.metric.higher_is_better else -1.0
    values = model_values(sweep)
    defined = resampled[np.isfinite(resampled).all(axis=1)]
    if (share := len(defined) / len(resampled)) < MIN_DEFINED:
        return f"only {share:.0%} of the resamples of persons define this metric for all trials"
    covariance = np.cov(defined.T) * persons / (persons - 1)
    try:
        scatter = Scatter(sign * values, covariance, _fewest(sweep, persons), sweep.trial_of)
        return true_values(scatter, seed=seed)
    except ValueError as error:
        return str(error)


def resampled_values(sweep: SweepTable, *, seed: int = 0) -> Array:
    """The metric (`RESAMPLES`, M) of all models, of persons drawn once for all of them."""
    count, resampler = int(sweep.persons.max()) + 1, Resampler(sweep.models)
    rng = np.random.default_rng(seed)
    step = max(16, _BLOCK // sweep.persons.size)
    blocks = []
    for start in range(0, RESAMPLES, step):
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=min(step, RESAMPLES - start))
        found = resampler(np.take(drawn.T.astype(np.float64, order="C"), sweep.persons, axis=0).T)
        blocks.append(np.stack([found[model.name] for model in sweep.models], axis=1))
    return np.concatenate(blocks)


def model_values(sweep: SweepTable) -> Array:
    """The metric (M,) of every trained model."""
    found = Resampler(sweep.models)(np.ones((1, sweep.persons.size)))
    return np.array([found[model.name][0] for model in sweep.models])


def trial_values(sweep: SweepTable) -> Array:
    """The mean (K,) of the metric over the seeds of each trial."""
    means: Array = np.bincount(sweep.trial_of, model_values(sweep)) / np.bincount(sweep.trial_of)
    return means


def probabilities(truths: Array) -> Array:
    """How often each trial (K,) is the best of its draws (R, K), with one draw shared by all.

    That draw keeps a probability above 0, as one that never came up in R draws is not impossible.
    """
    trials = truths.shape[1]
    top = truths == truths.max(axis=1, keepdims=True)
    wins = (top / top.sum(axis=1, keepdims=True)).sum(axis=0)  # equal trials share a first place
    shares: Array = (wins + 1 / trials) / (len(truths) + 1)
    return shares


def left_out_trials(sweep: SweepTable) -> list[LeftOut]:
    """The mean metric of each trial, and the same without each person."""
    persons = leave_one_out(sweep.persons)
    found = left_out(sweep.models, persons)
    return [
        mean([found[m.name] for m, own in zip(sweep.models, sweep.trial_of, strict=True) if own == place])
        for place in range(len(sweep.trials))
    ]


def _rows(sweep: SweepTable, seed_sd: float) -> list[RankedTrial]:
    """Values and intervals of the trials."""
    counts = np.bincount(sweep.trial_of)
    rows = []
    for trial, found, seeds in zip(sweep.trials, left_out_trials(sweep), counts, strict=True):
        own = _with_seeds(sweep.metric.name, found, seed_sd / np.sqrt(seeds))
        rows.append(RankedTrial(trial, int(seeds), found.value, own["low"], own["high"]))
    return rows


def _judged(rows: list[RankedTrial], draws: Array, sign: float) -> list[RankedTrial]:
    """The rows with what the draws (R, K) of the true values, higher is better, say of them."""
    best = max(range(len(rows)), key=lambda k: sign * rows[k].value)
    shares = probabilities(draws)
    regrets = (draws.max(axis=1, keepdims=True) - draws).mean(axis=0)
    better = (draws > draws[:, [best]]).mean(axis=0)
    level = float(np.mean([row.value for row in rows]))
    expected = level + sign * draws.mean(axis=0)
    alike = np.all(draws == draws[:, [best]], axis=0)
    return [
        RankedTrial(
            row.trial, row.seeds, row.value, row.low, row.high, float(expected[k]), float(shares[k]),
            float(regrets[k]), bool(better[k] >= APART or alike[k]),
        )
        for k, row in enumerate(rows)
    ]  # fmt: skip


def _with_seeds(name: str, found: LeftOut, error: float) -> Estimate:
    """The interval over persons of every metric here, with the standard error of seeds added to both sides.

    Distances of independent sources add by their squares (Zou and Donner, Statistics in Medicine 2008).
    """
    own = estimate(name, found)
    if own["low"] is None or own["high"] is None:
        return own
    half = float(norm.ppf((1 + LEVEL) / 2)) * error
    below, above = (
        float(np.hypot(side, half)) for side in (found.value - own["low"], own["high"] - found.value)
    )
    own["low"], own["high"] = within((found.value - below, found.value + above), limits(name))
    return own


def _fewest(sweep: SweepTable, persons: int) -> int:
    """Persons of the smallest class that the metric needs, or all."""
    target = sweep.models[0].target
    classes = [len(np.unique(sweep.persons[target == label])) for label in sweep.metric.classes]
    return min(classes, default=persons)
