"""Emotional states as clusters of persons by their totals, compared with data that have no clusters.

Ward's clusters of standardized depression, anxiety and stress with K = 2 and 3 are the choice of Faces of the
Mind (github.com/njnklab/FACES). Any continuum can be cut: every index stands beside the same index on data
that have no clusters, Gaussian with the same covariance, and a Gaussian copula with the same margins, because
totals that pile up at zero give high silhouettes on their own. Letters: `S` persons, `D` scales, `K`
clusters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from biomarkers.clusters.cluster_pipeline import embed, fitted_labels, indices
from biomarkers.clusters.stability import Stability, cluster_stability
from biomarkers.symptoms.profile_target import state_pipeline
from evaluation.uncertainty.bootstrap import Resampling

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Null = Callable[[Array, int, np.random.Generator], Array]

KS = (2, 3)  # of the source
# Ward's tree of 11,427 persons takes 17 s and 1.2 GB, once; null and stability, which need hundreds of trees,
# use subsamples of this size (our choice: 0.2 s each).
AT_MOST = 1000
_SUBSAMPLES = 20  # of larger tables, whose indices are averaged (our choice)
_LOWER_IS_BETTER = ("davies_bouldin",)


@dataclass(frozen=True, eq=False, kw_only=True)
class States:
    """One clustering: cluster of each person (S,), 0 the mildest, `indices` beside their nulls, stability.

    `indices` has the columns `index, value` (all persons), `null` (`gaussian` or `same margins`), `compared`
    (on as many persons as the null), `null_mean, null_low, null_high` (95 % of the draws) and `p`, the share
    of draws that separate as well.
    """

    k: int
    labels: Labels
    indices: pd.DataFrame
    stability: Stability


def cluster_states(
    totals: pd.DataFrame,
    *,
    ks: Sequence[int] = KS,
    rounds: int = 100,
    draws: int = 99,
    at_most: int = AT_MOST,
    seed: int = 0,
) -> list[States]:
    """Cluster persons by totals (S, D), one clustering for each number of clusters.

    Args:
        totals: One row a person, without gaps.
        ks: Numbers of clusters.
        rounds: Pairs of subsamples behind the stability.
        draws: Data sets of each null.
        at_most: Persons in a null data set and in the stability.
        seed: Of all draws.

    Raises:
        ValueError: Totals are missing or constant, or there are no draws.
    """
    x = totals.to_numpy(dtype=np.float64)
    if not np.isfinite(x).all() or (np.ptp(x, axis=0) == 0).any() or draws < 1:
        raise ValueError(f"totals of {len(x)} persons, {draws} draws: none missing, none constant, one draw")
    out = []
    for k in ks:
        pipeline = state_pipeline(k).fit(x)
        labels = _mildest_first(fitted_labels(pipeline, x), embed(pipeline, x))
        found = _beside_nulls(x, indices(embed(pipeline, x), labels), k, draws, at_most, seed)
        few = _some(x, at_most, np.random.default_rng(seed))
        stability = cluster_stability(pipeline, few, rounds=rounds, seed=seed)
        out.append(States(k=k, labels=labels, indices=found, stability=stability))
    return out


def cluster_means(totals: pd.DataFrame, labels: Labels, resampling: Resampling) -> pd.DataFrame:
    """Mean total of each cluster and scale with the 95 % percentile interval over its persons.

    The clusters were made of these totals, so that their means differ by construction; the interval tells how
    well a mean is known, not whether two differ. Columns `cluster, persons, scale, mean, low, high`.
    """
    rng = np.random.default_rng(resampling.seed)
    rows = []
    for k in np.unique(labels).tolist():
        own = totals[labels == k].to_numpy(dtype=np.float64)
        counts = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=resampling.n_boot)
        drawn = counts @ own / len(own)
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        for j, scale in enumerate(totals):
            rows.append((k, len(own), scale, float(own[:, j].mean()), float(low[j]), float(high[j])))
    return pd.DataFrame(rows, columns=["cluster", "persons", "scale", "mean", "low", "high"])


def gaussian(x: Array, count: int, rng: np.random.Generator) -> Array:
    """Persons (count, D) of a Gaussian with the mean and covariance of `x` (S, D): no clusters."""
    return rng.multivariate_normal(x.mean(axis=0), np.cov(x.T), count)


def same_margins(x: Array, count: int, rng: np.random.Generator) -> Array:
    """Persons (count, D) of a Gaussian copula with the margins and rank correlations of `x` (S, D)."""
    scores = stats.norm.ppf((stats.rankdata(x, axis=0) - 0.5) / len(x))
    drawn = rng.multivariate_normal(np.zeros(x.shape[1]), np.corrcoef(scores.T), count)
    places = stats.norm.cdf(drawn)
    return np.stack(
        [np.quantile(x[:, j], places[:, j], method="inverted_cdf") for j in range(x.shape[1])], axis=1
    )


NULLS: dict[str, Null] = {"gaussian": gaussian, "same margins": same_margins}


def _mildest_first(labels: Labels, scaled: Array) -> Labels:
    names = np.unique(labels)
    severity = [scaled[labels == name].mean() for name in names]
    return np.argsort(np.argsort(severity, kind="stable"), kind="stable")[np.searchsorted(names, labels)]


def _beside_nulls(
    x: Array, whole: dict[str, float], k: int, draws: int, at_most: int, seed: int
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    count = min(len(x), at_most)
    repeats = 1 if count == len(x) else _SUBSAMPLES
    own = pd.DataFrame([_indices(_some(x, at_most, rng), k) for _ in range(repeats)]).mean()
    rows = []
    for name, null in NULLS.items():
        drawn = pd.DataFrame([_indices(null(x, count, rng), k) for _ in range(draws)])
        for index, value in whole.items():
            sign = -1 if index in _LOWER_IS_BETTER else 1
            as_good = int((sign * drawn[index] >= sign * own[index]).sum())
            low, high = drawn[index].quantile([0.025, 0.975])
            p = (1 + as_good) / (1 + draws)
            rows.append((index, value, name, own[index], drawn[index].mean(), low, high, p))
    columns = ["index", "value", "null", "compared", "null_mean", "null_low", "null_high", "p"]
    return pd.DataFrame(rows, columns=columns)


def _indices(x: Array, k: int) -> dict[str, float]:
    pipeline = state_pipeline(k).fit(x)
    return indices(embed(pipeline, x), fitted_labels(pipeline, x))


def _some(x: Array, at_most: int, rng: np.random.Generator) -> Array:
    return x if len(x) <= at_most else x[np.sort(rng.permutation(len(x))[:at_most])]
