"""Uncertainty of the symptom discrepancy index: a bootstrap interval and a null without symptom profiles.

The interval is a percentile bootstrap over persons; everything is fitted again on every resample. With
`normalization="range"` it does not cover that another sample has another most distant person, since a maximum
cannot be resampled upwards; `quantile` has no such hole.

The null shuffles answers (`permuted_answers.py`). Null values are in the units of the data: item moments and
the limits of the normalization stay as fitted. Limits of their own would hide what is looked for, as profiles
stretch the largest distances more than the mean ones, and the index *falls*. Shuffles within totals keep the
mean squared distance at every total as well, since it follows from the frequencies: the index exceeds them by
how unequally persons differ from their group.
"""

from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
from sklearn.base import clone

from biomarkers.symptoms.discrepancy import SymptomDiscrepancy, aggregate
from biomarkers.symptoms.distances import (
    Array,
    Codes,
    centroids,
    distances,
    group_moments,
    item_moments,
    limits,
)
from biomarkers.symptoms.permuted_answers import Answers, Within, shuffles
from evaluation.uncertainty.bootstrap import Estimate, Resampling, interval_of, subject_weights

SWEEPS = 10  # our choice: between draws; the p-value is exact with any number, see `null`
_TIE = 1e-12  # the same sum in another order
_CLOSE = 50 // SWEEPS  # draws: after 50 sweeps real answers to 13 items had forgotten where they started


@dataclass(frozen=True, eq=False)
class Null:
    """A symptom discrepancy index beside its null distribution.

    Args:
        value: Index of the data.
        mean: Of the shuffles.
        spread: Standard deviation of the shuffles.
        effect: `(value - mean) / spread`; above 0, profiles beyond chance.
        p_value: Share of tables, the data among them, whose index is at least that of the data.
        groups: A row a group: group, n, observed (mean discrepancy), expected, low, high (95 % of shuffles).
    """

    value: float
    mean: float
    spread: float
    effect: float
    p_value: float
    groups: pd.DataFrame


def interval(items: pd.DataFrame, estimator: SymptomDiscrepancy, resampling: Resampling) -> Estimate:
    """Index of raw answers (N, J), a row a person, with its 95 % interval.

    Raises:
        ValueError: As in `SymptomDiscrepancy.fit`.
    """
    fitted, answers, codes = _fitted(items, estimator)
    draws = [
        _resampled(fitted, answers, codes, weights)
        for block in subject_weights(range(len(items)), resampling)
        for weights in block
    ]
    return interval_of(_index_and_means(_discrepancy(fitted, answers, codes), codes)[0], np.array(draws))


def null(
    items: pd.DataFrame,
    estimator: SymptomDiscrepancy,
    *,
    within: Within = "total",
    draws: int = 199,
    seed: int = 0,
) -> Null:
    """Compare the index of raw answers (N, J), a row a person, with shuffles of them.

    The data take a random place in one chain of `draws + 1` tables, so that under the null they rank like any
    other and `p = (1 + b) / (1 + draws)` is exact however slowly the chain mixes (Besag & Clifford 1989).
    Mean, spread and curve leave out the draws close to the data, which still resemble them.

    Raises:
        ValueError: As in `SymptomDiscrepancy.fit`; answers are not whole numbers; or too few draws.
    """
    if draws < 4 * _CLOSE:
        raise ValueError(f"draws={draws}: with {SWEEPS} sweeps between them take at least {4 * _CLOSE}")
    fitted, answers, codes = _fitted(items, estimator)
    whole: Answers = answers.astype(np.int16)
    if not np.array_equal(whole, answers):
        raise ValueError("answers with fractions cannot be shuffled: give raw answers")
    observed, curve = _index_and_means(_discrepancy(fitted, answers, codes), codes)
    rng = np.random.default_rng(seed)
    before = int(rng.integers(draws + 1))
    values, curves, mixed = [], [], []
    for count in (before, draws - before):  # moves are their own inverse: both ways lead away from the data
        chain = shuffles(whole, within=within, sweeps=SWEEPS, rng=rng)
        for place, table in enumerate(islice(chain, count), start=1):
            value, by_group = _index_and_means(_discrepancy(fitted, table.astype(np.float64), codes), codes)
            values.append(value)
            curves.append(by_group)
            mixed.append(place >= _CLOSE)
    far, far_curves = np.array(values)[mixed], np.array(curves)[mixed]
    mean, spread = float(far.mean()), float(far.std(ddof=1))
    low, high = np.quantile(far_curves, [0.025, 0.975], axis=0)
    numbers = {"observed": curve, "expected": far_curves.mean(axis=0), "low": low, "high": high}
    return Null(
        value=observed,
        mean=mean,
        spread=spread,
        effect=(observed - mean) / spread if spread > 0 else np.nan,
        p_value=(1 + int((np.array(values) >= observed - _TIE).sum())) / (1 + draws),
        groups=pd.DataFrame({"group": fitted.groups_, "n": np.bincount(codes)} | numbers),
    )


def _fitted(items: pd.DataFrame, estimator: SymptomDiscrepancy) -> tuple[SymptomDiscrepancy, Array, Codes]:
    fitted = clone(estimator).fit(items)
    group = fitted.per_person(items)["group"].to_numpy(dtype=np.float64)
    answers = np.ascontiguousarray(items.to_numpy(dtype=np.float64).T)
    return fitted, answers, np.searchsorted(fitted.groups_, group)


def _discrepancy(fitted: SymptomDiscrepancy, answers: Array, codes: Codes) -> Array:
    """Discrepancies (N,) of answers (J, N) around their own centroids, in the units that were fitted."""
    center = _center(fitted, answers, codes, None, fitted.mean_)
    distance = distances(answers, center, fitted.std_, codes)
    return np.asarray((distance - fitted.low_) / (fitted.high_ - fitted.low_))


def _center(
    fitted: SymptomDiscrepancy, answers: Array, codes: Codes, weights: Array | None, mean: Array
) -> Array:
    """Center of every group, (J, G)."""
    if fitted.center == "global":
        return np.repeat(mean[:, None], len(fitted.groups_), axis=1)
    return centroids(answers, codes, len(fitted.groups_), weights)


def _index_and_means(discrepancy: Array, codes: Codes) -> tuple[float, Array]:
    """The index and the mean of each group (G,)."""
    n, mean, spread = group_moments(discrepancy, codes, int(codes.max()) + 1)
    return aggregate(n, mean, spread), mean


def _resampled(fitted: SymptomDiscrepancy, answers: Array, codes: Codes, weights: Array) -> float:
    """The index of a resample; NaN where it has no range, or nobody shares a group."""
    mean, std = item_moments(answers, weights)
    distance = distances(answers, _center(fitted, answers, codes, weights, mean), std, codes)
    low, high = limits(distance, fitted.normalization, weights)
    n, means, spread = group_moments(distance, codes, len(fitted.groups_), weights)
    if not low < high or not (n > 1).any():
        return np.nan
    # the index is linear in distances, and spreads do not know where zero is
    return aggregate(n, (means - low) / (high - low), spread / (high - low))
