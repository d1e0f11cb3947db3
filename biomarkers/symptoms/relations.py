"""Relations between scales: correlations of totals, overlap of the labels above a threshold.

Letters: `N` recordings, `D` scales, `R` resamples.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.scales import SCALES
from evaluation.metrics import resampled as weighted
from evaluation.metrics.rank_correlation import spearman
from evaluation.uncertainty.bootstrap import Resampling, percentile_interval, subject_weights

Array = NDArray[np.float64]


def positives(totals: pd.DataFrame) -> pd.DataFrame:
    """Whether each total (N, D) reaches the threshold of its scale, 0 or 1; columns name the scales.

    Raises:
        ValueError: A column is no scale, or a total cannot be one of it.
    """
    if unknown := sorted({str(name) for name in totals} - set(SCALES)):
        raise ValueError(f"{unknown} are no scales: choose from {', '.join(SCALES)}")
    out = pd.DataFrame(index=totals.index)
    for name in totals:
        scale = SCALES[str(name)]
        for total in totals[name].unique():
            scale.check(float(total))
        out[name] = [scale.binary(total) for total in totals[name]]
    return out


def relations(totals: pd.DataFrame, persons: Sequence[object], resampling: Resampling) -> pd.DataFrame:
    """Pearson's and Spearman's correlation of every two totals, and Jaccard's index of every two labels.

    Jaccard: recordings positive on both over those positive on one or both. Columns are `measure, a, b,
    value, low, high`; intervals are percentiles of resampled persons, NaN where too few resamples define a
    value.

    Args:
        totals: One row a recording, one column a scale (N, D), without gaps; doubled where the scale is.
        persons: Person of each recording (N,).
        resampling: Of persons.

    Raises:
        ValueError: A column is no scale, a total is missing or cannot be one of its scale.
    """
    if len(totals) != len(persons) or totals.isna().any(axis=None):
        raise ValueError(f"{len(totals)} rows of totals, {len(persons)} persons: give both, without gaps")
    x, labels = (table.to_numpy(dtype=np.float64).T for table in (totals, positives(totals)))
    measures: list[tuple[str, weighted.Kernel, Array]] = [
        ("pearson", weighted.pearson, x),
        ("spearman", spearman, x),
        ("jaccard", jaccard, labels),
    ]
    asked = [(m, a, b) for m in measures for a, b in combinations(range(len(x)), 2)]
    draws: list[list[Array]] = [[] for _ in asked]
    for weights in subject_weights(persons, resampling):
        for drawn, ((_, kernel, values), a, b) in zip(draws, asked, strict=True):
            drawn.append(kernel(values[a], values[b], weights))
    ones = np.ones((1, len(totals)))
    rows = []
    for drawn, ((measure, kernel, values), a, b) in zip(draws, asked, strict=True):
        low, high, _ = percentile_interval(np.concatenate(drawn))
        value = float(kernel(values[a], values[b], ones)[0])
        rows.append((measure, totals.columns[a], totals.columns[b], value, low, high))
    found = pd.DataFrame(rows, columns=["measure", "a", "b", "value", "low", "high"])
    return found.astype({"low": float, "high": float})


def jaccard(a: Array, b: Array, w: Array) -> Array:
    """Jaccard's index (R,) of labels 0 and 1 (N,) under weights (R, N), NaN where nobody is positive."""
    both, one = w @ (a * b), w @ np.maximum(a, b)
    return weighted.divide(both, one)
