r"""The metrics under many weightings of the recordings at once, for the bootstrap.

Letters: `R` resamples, `N` recordings. Each function takes targets (N,), predictions (N,) and weights (R,
    N), how
often each recording was drawn, and returns (R,). An undefined resample (one class drawn, no variance) is
NaN: the bootstrap counts and reports those. With weights of one each function equals its namesake in
`metrics`.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics import round_band

Array = NDArray[np.float64]
Kernel = Callable[[Array, Array, Array], Array]

_FLAT = 1e-12  # relative to the second moment: below it a variance is rounding noise (our choice)


def mae(y: Array, p: Array, w: Array) -> Array:
    """Mean absolute error (R,)."""
    return _mean(np.abs(y - p), w)


def rmse(y: Array, p: Array, w: Array) -> Array:
    """Root mean squared error (R,)."""
    root: Array = np.sqrt(_mean((y - p) ** 2, w))
    return root


def pearson(y: Array, p: Array, w: Array) -> Array:
    """Pearson correlation (R,)."""
    _, _, var_y, var_p, covariance = _moments(y, p, w)
    return _divide(covariance, np.sqrt(var_y * var_p))


def pearson_centered(y: Array, p: Array, w: Array) -> Array:
    """Correlation (R,) of values whose means are already taken away (within persons)."""
    return _divide(_mean(y * p, w), np.sqrt(_mean(y * y, w) * _mean(p * p, w)))


def ccc(y: Array, p: Array, w: Array) -> Array:
    """Population concordance correlation (R,)."""
    mean_y, mean_p, var_y, var_p, covariance = _moments(y, p, w)
    value = _divide(2 * covariance, var_y + var_p + (mean_y - mean_p) ** 2)
    return np.where(var_y > 0, value, np.nan)


def quadratic_kappa(y: Array, p: Array, w: Array) -> Array:
    """Quadratic kappa (R,): the population concordance of the band numbers."""
    return ccc(y, round_band(p), w)


def auc(y: Array, p: Array, w: Array) -> Array:
    """Area under the ROC curve (R,), ties counting one half."""
    positive, negative = _by_prediction(y, p, w)
    below = np.cumsum(negative, axis=1) - negative
    wins = (positive * (below + 0.5 * negative)).sum(axis=1)
    return _divide(wins, positive.sum(axis=1) * negative.sum(axis=1))


def roc_points(y: Array, p: Array, w: Array) -> tuple[Array, Array]:
    """False-alarm and hit rates (R, G + 1) of falling thresholds, from (0, 0) to (1, 1)."""
    rates = []
    for counts in reversed(_by_prediction(y, -p, w)):
        total = counts.sum(axis=1, keepdims=True)
        shares = np.where(total > 0, np.cumsum(counts, axis=1) / np.maximum(total, 1), np.nan)
        rates.append(np.pad(shares, ((0, 0), (1, 0))))
    return rates[0], rates[1]


def roc(y: Array, p: Array, w: Array, grid: Array) -> Array:
    """Hit rate (R, K) at the false-alarm rates `grid` (K,), linear between thresholds."""
    curves = [np.interp(grid, alarms, hits) for alarms, hits in zip(*roc_points(y, p, w), strict=True)]
    return np.stack(curves)


def average_precision(y: Array, p: Array, w: Array) -> Array:
    """Average precision (R,)."""
    positive, negative = _by_prediction(y, -p, w)
    hits, alarms = np.cumsum(positive, axis=1), np.cumsum(negative, axis=1)
    drawn = hits + alarms
    precision = np.divide(hits, drawn, out=np.zeros_like(hits), where=drawn > 0)
    return _divide((positive * precision).sum(axis=1), positive.sum(axis=1))


def brier(y: Array, p: Array, w: Array) -> Array:
    """Brier score (R,)."""
    return _mean((y - p) ** 2, w)


def sensitivity(y: Array, d: Array, w: Array) -> Array:
    """Recall of the positives (R,) of decisions `d` in {0, 1}."""
    return _divide(w @ (y * d), w @ y)


def specificity(y: Array, d: Array, w: Array) -> Array:
    """Recall of the negatives (R,)."""
    return _divide(w @ ((1 - y) * (1 - d)), w @ (1 - y))


def uar(y: Array, d: Array, w: Array) -> Array:
    """Unweighted average recall (R,)."""
    mean: Array = (sensitivity(y, d, w) + specificity(y, d, w)) / 2
    return mean


def f1(y: Array, d: Array, w: Array) -> Array:
    """F1 of the positive class (R,)."""
    value = _divide(2 * (w @ (y * d)), w @ (y + d))
    return np.where(w @ y > 0, value, np.nan)


def accuracy(y: Array, d: Array, w: Array) -> Array:
    """Share of right decisions (R,)."""
    return _mean((y == d).astype(np.float64), w)


def _mean(values: Array, w: Array) -> Array:
    return _divide(w @ values, w.sum(axis=1))


def _divide(numerator: Array, denominator: Array) -> Array:
    """Quotient, NaN where the denominator is zero."""
    out: Array = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def _moments(y: Array, p: Array, w: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Means, population variances and covariance (R,) of a weighted sample."""
    shift_y, shift_p = y - y.mean(), p - p.mean()  # sums of squares lose no digits to a large offset
    mean_y, mean_p = _mean(shift_y, w), _mean(shift_p, w)
    square_y, square_p = _mean(shift_y**2, w), _mean(shift_p**2, w)
    var_y, var_p = square_y - mean_y**2, square_p - mean_p**2
    var_y, var_p = np.where(var_y > _FLAT * square_y, var_y, 0), np.where(var_p > _FLAT * square_p, var_p, 0)
    covariance = np.where(var_y * var_p > 0, _mean(shift_y * shift_p, w) - mean_y * mean_p, 0)
    return mean_y + y.mean(), mean_p + p.mean(), var_y, var_p, covariance


def _by_prediction(y: Array, p: Array, w: Array) -> tuple[Array, Array]:
    """Drawn positives and negatives (R, G) at each of the G distinct predictions, in rising order."""
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.diff(p[order], prepend=-np.inf))
    positive: Array = np.add.reduceat((w * y)[:, order], starts, axis=1)
    negative: Array = np.add.reduceat((w * (1 - y))[:, order], starts, axis=1)
    return positive, negative
