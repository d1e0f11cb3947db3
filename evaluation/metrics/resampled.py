r"""Metrics of many resamples at once, given as weights of the recordings, for the bootstrap.

Letters: `R` resamples, `N` recordings, `K` terms, `G` distinct predictions. Each metric is called with
targets (N,), predictions (N,) and weights (R, N), how often each recording was drawn, and returns (R,). An
undefined resample (one class drawn, no variance) is NaN: the bootstrap counts and reports those. With weights
of one each metric equals its namesake in `definitions`.

A metric is a function either of weighted sums or of the drawn positives and negatives at each prediction, so
that many metrics can share one product and one sorting (`applicable.Resampler`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.definitions import round_band

Array = NDArray[np.float64]

_CCC_TERMS = 7
_FLAT = 1e-12  # relative to the second moment: below it a variance is rounding noise (our choice)


@dataclass(frozen=True)
class OfSums:
    """A metric of weighted sums: `value` of `sum_n w_n t_kn`, for K `terms` t of targets and predictions."""

    terms: Callable[[Array, Array], tuple[Array, ...]]
    value: Callable[..., Array]

    def __call__(self, y: Array, p: Array, w: Array) -> Array:
        """The metric (R,) under weights (R, N)."""
        return self.value(*(w @ np.stack(self.terms(y, p), axis=1)).T)


@dataclass(frozen=True)
class OfRanks:
    """A metric of the drawn positives and negatives (R, G + 1) at or below each prediction (`cumulated`)."""

    value: Callable[[Array, Array], Array]

    def __call__(self, y: Array, p: Array, w: Array) -> Array:
        """The metric (R,) under weights (R, N)."""
        return self.value(*cumulated(y, p, w))


Kernel = Callable[[Array, Array, Array], Array]
Resampled = OfSums | OfRanks


def cumulated(y: Array, p: Array, w: Array, *, rows: NDArray[np.int_] | None = None) -> tuple[Array, Array]:
    """Drawn positives and negatives (R, G + 1) at or below each distinct prediction, from 0 to all.

    Args:
        y: Targets (N,) in {0, 1}.
        p: Predictions (N,).
        w: Weights (R, N), or of a larger table.
        rows: Which columns of the weights belong to the N recordings; all where not given.
    """
    order = np.argsort(p, kind="stable")
    last = np.flatnonzero(np.diff(p[order], append=np.inf))  # of equal predictions
    drawn = np.take(w.T, order if rows is None else rows[order], axis=0)  # (N, R): additions row by row
    positives, negatives = np.zeros((2, last.size + 1, len(w)))
    for share, out in ((y[order], positives), (1 - y[order], negatives)):
        out[1:] = np.cumsum(drawn * share[:, None], axis=0)[last]
    return positives.T, negatives.T


def roc_points(y: Array, p: Array, w: Array) -> tuple[Array, Array]:
    """False-alarm and hit rates (R, G + 1) of falling thresholds, from (0, 0) to (1, 1)."""
    rates = []
    for counts in reversed(cumulated(y, p, w)):
        total = counts[:, -1:]
        shares = np.where(total > 0, (total - counts) / np.maximum(total, 1), np.nan)
        shares[:, -1] = 0.0  # nobody is above the highest prediction, whoever was drawn
        rates.append(shares[:, ::-1])
    return rates[0], rates[1]


def roc(y: Array, p: Array, w: Array, grid: Array) -> Array:
    """Hit rate (R, K) at the false-alarm rates `grid` (K,), linear between thresholds."""
    curves = [np.interp(grid, alarms, hits) for alarms, hits in zip(*roc_points(y, p, w), strict=True)]
    return np.stack(curves)


def _auc(positives: Array, negatives: Array) -> Array:
    below = negatives[:, 1:] + negatives[:, :-1]  # twice the negatives below, ties counting one half
    wins = (np.diff(positives) * below).sum(axis=1)
    return divide(wins, 2 * positives[:, -1] * negatives[:, -1])


def _average_precision(positives: Array, negatives: Array) -> Array:
    hits = positives[:, -1:] - positives[:, :-1]  # at each prediction or above
    drawn = hits + negatives[:, -1:] - negatives[:, :-1]
    precision = np.divide(hits, drawn, out=np.zeros_like(hits), where=drawn > 0)
    return divide((np.diff(positives) * precision).sum(axis=1), positives[:, -1])


def _pearson(*sums: Array) -> Array:
    var_y, var_p, covariance = _spread(*sums)
    return divide(covariance, np.sqrt(var_y * var_p))


def _ccc(gap: Array, *sums: Array) -> Array:
    var_y, var_p, covariance = _spread(*sums)
    value = divide(2 * covariance, var_y + var_p + divide(gap, sums[0]) ** 2)
    return np.where(var_y > 0, value, np.nan)


def _recalls(hits: Array, positives: Array, cleared: Array, negatives: Array) -> Array:
    mean: Array = (divide(hits, positives) + divide(cleared, negatives)) / 2
    return mean


def _f1(hits: Array, positives: Array, alarms: Array) -> Array:
    return np.where(positives > 0, divide(2 * hits, positives + alarms), np.nan)


def _macro_f1(hits: Array, positives: Array, alarms: Array, cleared: Array, negatives: Array) -> Array:
    quiet = positives + negatives - alarms
    both = (divide(2 * hits, positives + alarms) + divide(2 * cleared, negatives + quiet)) / 2
    return np.where((positives > 0) & (negatives > 0), both, np.nan)


def _item_kappa_terms(y: Array, p: Array) -> tuple[Array, ...]:
    """Terms of the concordance of each item, 0 in recordings without its answer."""
    terms: list[Array] = []
    for item in range(y.shape[1]):
        known = ~np.isnan(y[:, item])
        out = np.zeros((_CCC_TERMS, len(y)))
        if known.any():
            out[:, known] = quadratic_kappa.terms(y[known, item], p[known, item])
        terms += list(out)
    return tuple(terms)


def _item_kappa(*sums: Array) -> Array:
    each = [_ccc(*sums[start : start + _CCC_TERMS]) for start in range(0, len(sums), _CCC_TERMS)]
    defined = np.isfinite(each)
    return divide(np.where(defined, each, 0.0).sum(axis=0), defined.sum(axis=0).astype(np.float64))


def divide(numerator: Array, denominator: Array) -> Array:
    """Quotient, NaN where the denominator is zero."""
    out: Array = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def _moment_terms(y: Array, p: Array) -> tuple[Array, ...]:
    y, p = y - y.mean(), p - p.mean()  # sums of squares lose no digits to a large offset
    return np.ones_like(y), y, p, y * y, p * p, y * p


def _spread(count: Array, y: Array, p: Array, yy: Array, pp: Array, yp: Array) -> tuple[Array, Array, Array]:
    """Population variances and covariance (R,) from the sums of `_moment_terms`."""
    y, p, yy, pp, yp = (divide(total, count) for total in (y, p, yy, pp, yp))
    var_y, var_p = yy - y**2, pp - p**2
    var_y, var_p = np.where(var_y > _FLAT * yy, var_y, 0), np.where(var_p > _FLAT * pp, var_p, 0)
    return var_y, var_p, np.where(var_y * var_p > 0, yp - y * p, 0)


def _hits(y: Array, d: Array) -> tuple[Array, Array]:
    return y * d, y


def _alarms(y: Array, d: Array) -> tuple[Array, Array]:
    return y * d, d


def _cleared(y: Array, d: Array) -> tuple[Array, Array]:
    return (1 - y) * (1 - d), 1 - y


mae = OfSums(lambda y, p: (np.abs(y - p), np.ones_like(y)), divide)
brier = OfSums(lambda y, p: ((y - p) ** 2, np.ones_like(y)), divide)
rmse = OfSums(brier.terms, lambda total, count: np.sqrt(divide(total, count)))
pearson = OfSums(_moment_terms, _pearson)
pearson_centered = OfSums(  # each person's mean is gone already
    lambda y, p: (y * p, y * y, p * p), lambda cross, yy, pp: divide(cross, np.sqrt(yy * pp))
)
ccc = OfSums(lambda y, p: (y - p, *_moment_terms(y, p)), _ccc)
quadratic_kappa = OfSums(lambda y, p: ccc.terms(y, round_band(p)), _ccc)  # concordance of the band numbers
sensitivity = OfSums(_hits, divide)
precision = OfSums(_alarms, divide)
specificity = OfSums(_cleared, divide)
uar = OfSums(lambda y, d: (*_hits(y, d), *_cleared(y, d)), _recalls)
f1 = OfSums(lambda y, d: (*_hits(y, d), d), _f1)
macro_f1 = OfSums(lambda y, d: (*_hits(y, d), d, *_cleared(y, d)), _macro_f1)
item_kappa = OfSums(_item_kappa_terms, _item_kappa)
accuracy = OfSums(lambda y, d: ((y == d).astype(np.float64), np.ones_like(y)), divide)
auc = OfRanks(_auc)
average_precision = OfRanks(_average_precision)
