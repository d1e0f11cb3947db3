"""Stability of a clustering: agreement between clusterings of subsamples of the persons."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import Pipeline

from biomarkers.clusters.cluster_pipeline import fitted_labels

SHARE = 0.8  # persons in a subsample (Ben-Hur et al., 2002); above 1/2, so that two always overlap
ROUNDS = 100  # pairs of subsamples (our choice)


@dataclass(frozen=True, eq=False, kw_only=True)
class Stability:
    """Agreement of clusterings of pairs of subsamples.

    `mean` of their adjusted Rand indices, and `low` to `high`, which hold 95 % of them: the spread over
    subsamples of these persons, not a confidence interval for a population.
    """

    mean: float
    low: float
    high: float


def cluster_stability(
    pipeline: Pipeline, values: ArrayLike, *, rounds: int = ROUNDS, seed: int = 0
) -> Stability:
    """Cluster two subsamples of persons and compare them on the persons both hold, again and again.

    After Ben-Hur, Elisseeff and Guyon (2002), with the adjusted Rand index as similarity. Everything in
    the pipeline, scaling and components included, is fitted anew on every subsample.

    Args:
        pipeline: To be cloned and fitted.
        values: One row a person (S, F).
        rounds: Pairs of subsamples.
        seed: Of the subsamples.

    Raises:
        ValueError: There are no rounds.
    """
    x = np.asarray(values, dtype=np.float64)
    if rounds < 1:
        raise ValueError(f"rounds={rounds}: stability needs at least one pair of subsamples")
    rng = np.random.default_rng(seed)
    size = round(SHARE * len(x))
    draws = np.empty(rounds)
    for i in range(rounds):
        halves = [np.sort(rng.permutation(len(x))[:size]) for _ in range(2)]
        labels = [fitted_labels(clone(pipeline).fit(x[rows]), x[rows]) for rows in halves]
        common = np.intersect1d(halves[0], halves[1])
        first, second = (found[np.isin(rows, common)] for rows, found in zip(halves, labels, strict=True))
        draws[i] = adjusted_rand_score(first, second)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Stability(mean=float(draws.mean()), low=float(low), high=float(high))
