"""AUC of one value per recording, with a closed-form interval over persons (the clusters).

Placement values summed by person (Obuchowski, Biometrics 53, 1997), on the logit scale, with t of P-1 degrees
of freedom. Where everybody stands in the right order that variance is 0, so no interval's lower end lies
above what a perfect order of so many persons can show: under proportional hazards (Lehmann, Annals of
Mathematical Statistics 24, 1953) with `A = k/(1+k)`, `P(perfect order) = prod_{m=1..P0} k m / (k m + P1)`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import rankdata, t

Array = NDArray[np.float64]

_STEEPEST = 30.0  # log odds beyond which an AUC is 1 in double precision


class ClusteredAuc(NamedTuple):
    """An AUC and its interval."""

    value: float
    low: float
    high: float


def clustered_auc(labels: Array, scores: Array, persons: NDArray[np.int64], *, level: float) -> ClusteredAuc:
    """How well scores (N,) order recordings by their label, with an interval that resamples nobody.

    Args:
        labels: 0 or 1 (N,), both present.
        scores: (N,), higher for 1; ties count half.
        persons: code of the person of each recording (N,), two persons at least.
        level: of the two-sided interval.

    Raises:
        ValueError: A class is missing, or there is one person only.
    """
    positive = labels == 1
    count, others = int(positive.sum()), int((~positive).sum())
    _, person = np.unique(persons, return_inverse=True)
    clusters = int(person.max()) + 1
    if not count or not others or clusters < 2:
        raise ValueError(f"{count} positives, {others} negatives, {clusters} persons: an AUC needs two each")
    placed = np.empty(len(labels))
    ranks = rankdata(scores)
    for own, size in ((positive, others), (~positive, count)):
        placed[own] = (ranks[own] - rankdata(scores[own])) / size
    placed[~positive] = 1 - placed[~positive]  # share of the other class on the right side
    value = float(placed[positive].mean())
    # a person's recordings are summed before squaring: what they have in common adds up, as it must
    share = np.where(positive, (placed - value) / count, (placed - value) / others)
    error = np.sqrt(clusters / (clusters - 1) * (np.bincount(person, weights=share) ** 2).sum())
    # the logit of 0 or 1 is infinite: half a pair is taken off a perfect order
    edge = 1 / (2 * count * others)
    inside = min(max(value, edge), 1 - edge)
    center, spread = np.log(inside / (1 - inside)), error / (inside * (1 - inside))
    # on the logit scale no end leaves 0 to 1, and near 1 the lower end is the farther one, as it has to be
    reach = t.ppf((1 + level) / 2, clusters - 1) * spread
    low, high = (float(1 / (1 + np.exp(-(center + side)))) for side in (-reach, reach))
    counts = [len(np.unique(person[own])) for own in (positive, ~positive)]
    limit = perfect_order(*counts, tail=(1 - level) / 2)
    return ClusteredAuc(value, min(low, limit, value), max(high, 1 - limit, value))


def perfect_order(positives: int, negatives: int, *, tail: float) -> float:
    """The lowest AUC under which so many persons stand in perfect order with a probability of `tail`."""
    return min(_lehmann(positives, negatives, tail), _lehmann(negatives, positives, tail))


def _lehmann(count: int, others: int, tail: float) -> float:
    step = np.arange(1, others + 1)

    def excess(odds: float) -> float:
        times = np.exp(odds) * step
        return float(np.log(times / (times + count)).sum() - np.log(tail))

    odds = brentq(excess, -_STEEPEST, _STEEPEST)
    return float(1 / (1 + np.exp(-odds)))
