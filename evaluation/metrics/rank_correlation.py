"""Spearman's rank correlation under many weightings of the recordings at once, for the bootstrap.

Letters as in `resampled`: values (N,), weights (R,N) (how often each recording was drawn), results (R,).
Ranks are taken anew in every resample, ties sharing the mean rank, as if its rows were written out.
"""

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.resampled import divide

Array = NDArray[np.float64]


def spearman(x: Array, y: Array, w: Array) -> Array:
    """Spearman correlation (R,), NaN where a side does not vary."""
    return correlation(ranks(x, w), ranks(y, w), w)


def partial_spearman(x: Array, y: Array, given: Array, w: Array) -> Array:
    """Partial correlation of the ranks of x and y given the ranks of a third variable, (R,).

    `(r_xy - r_xz r_yz) / sqrt((1 - r_xz^2)(1 - r_yz^2))`
    """
    a, b, c = (ranks(values, w) for values in (x, y, given))
    xy, xz, yz = correlation(a, b, w), correlation(a, c, w), correlation(b, c, w)
    rest = (1 - xz**2) * (1 - yz**2)
    return divide(xy - xz * yz, np.sqrt(np.where(rest > 1e-12, rest, 0)))


def ranks(x: Array, w: Array) -> Array:
    """Mean rank (R,N) of every recording among those drawn.

    Examples:
        >>> ranks(np.array([5.0, 7.0, 7.0]), np.ones((1, 3)))
        array([[1. , 2.5, 2.5]])
    """
    _, place = np.unique(x, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    drawn = np.add.reduceat(w[:, order], starts, axis=1)
    middle = np.cumsum(drawn, axis=1) - drawn + (drawn + 1) / 2
    out: Array = middle[:, place]
    return out


def correlation(a: Array, b: Array, w: Array) -> Array:
    """Weighted Pearson correlation (R,) of the rows of two (R,N)."""
    total = w.sum(1, keepdims=True)
    a, b = (v - (w * v).sum(1, keepdims=True) / total for v in (a, b))
    spread = (w * a * a).sum(1) * (w * b * b).sum(1)
    return divide((w * a * b).sum(1), np.sqrt(np.where(spread > 1e-9, spread, 0)))
