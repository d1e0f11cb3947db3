"""Distances behind the symptom discrepancy, on arrays and with weights for resamples; linear in memory.

Letters: `N` persons, `J` items, `G` groups. Answers are held item by item, `(J, N)`, as every sum runs along
persons.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int_]

Center = Literal["group", "global"]
Normalization = Literal["range", "quantile", "none"]

_QUANTILES = (0.01, 0.99)  # our choice: one person in a hundred may lie outside on either side


def item_moments(answers: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """Mean and standard deviation (ddof=1) of each item, (J,) and (J,), of answers (J, N)."""
    count = float(answers.shape[1]) if weights is None else float(weights.sum())
    mean = answers.mean(axis=1) if weights is None else answers @ weights / count
    square = (answers - mean[:, None]) ** 2
    total = square.sum(axis=1) if weights is None else square @ weights
    return mean, np.sqrt(total / (count - 1))


def centroids(answers: Array, group: Codes, groups: int, weights: Array | None = None) -> Array:
    """Mean answers of each group, (J, G); NaN in an empty one."""
    count = np.bincount(group, weights=weights, minlength=groups)
    sums = np.stack(
        [
            np.bincount(group, weights=item if weights is None else item * weights, minlength=groups)
            for item in answers
        ]
    )
    with np.errstate(invalid="ignore"):  # an empty group divides 0 by 0
        return np.asarray(sums / count)


def distances(answers: Array, center: Array, spread: Array, group: Codes) -> Array:
    """Distance of each person to the center (J, G) of the group, (N,), items in units of `spread` (J,).

    An item of no spread adds nothing: everybody it was measured on answers it alike.
    """
    square = np.zeros(answers.shape[1])
    for item, middle, unit in zip(answers, center, spread, strict=True):
        if unit > 0:
            square += ((item - middle[group]) / unit) ** 2
    return np.asarray(np.sqrt(square))


def limits(
    distance: Array, normalization: Normalization, weights: Array | None = None
) -> tuple[float, float]:
    """Distances that the normalization maps to 0 and to 1."""
    if normalization == "none":
        return 0.0, 1.0
    drawn = distance if weights is None else np.repeat(distance, weights.astype(np.int64))
    if normalization == "range":
        return float(drawn.min()), float(drawn.max())
    low, high = np.quantile(drawn, _QUANTILES)
    return float(low), float(high)


def group_moments(
    values: Array, group: Codes, groups: int, weights: Array | None = None
) -> tuple[Array, Array, Array]:
    """Size, mean and standard deviation (ddof=1) by group, each (G,); NaN where undefined."""
    count = np.bincount(group, weights=weights, minlength=groups).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        weighted = values if weights is None else values * weights
        mean = np.bincount(group, weights=weighted, minlength=groups) / count
        square = (values - mean[group]) ** 2
        square = square if weights is None else np.where(weights > 0, square * weights, 0.0)
        sums = np.bincount(group, weights=square, minlength=groups)
        spread = np.sqrt(np.where(count > 1, sums / (count - 1), np.nan))
    return count, mean, spread
