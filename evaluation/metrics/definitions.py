"""Definitions of the metrics, one pure function each, over recordings (never over batches).

Every function takes two equally long vectors and returns a `Value`: the number, or `None` and the reason why
the number does not exist for these data (one class only, no variance). Non-finite input is an error.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Array = NDArray[np.float64]

ECE_BINS = 15  # Guo et al., "On Calibration of Modern Neural Networks", ICML 2017

_ONE_CLASS = "only one class among the targets"
_NO_POSITIVE = "no positive recording among the targets"
_NO_NEGATIVE = "no negative recording among the targets"
NO_ALARM = "no recording was decided positive"
_FLAT_TARGET = "all targets are equal"
_FLAT_PREDICTION = "all predictions are equal"


class Value(NamedTuple):
    """A metric, or `None` with the reason why it is undefined."""

    value: float | None
    reason: str | None = None


def _sklearn() -> Any:
    """Its metrics; half a second to import, which a training need not wait for before its first step."""
    from sklearn import metrics

    return metrics


def check_pair(target: ArrayLike, prediction: ArrayLike) -> tuple[Array, Array]:
    """Return both vectors (N,) as float64.

    Raises:
        ValueError: they are empty, differ in length or hold values that are not finite.
    """
    y, p = np.asarray(target, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    if y.ndim != 1 or y.shape != p.shape:
        raise ValueError(f"targets {y.shape} and predictions {p.shape} must be vectors of one length")
    if y.size == 0:
        raise ValueError("no recordings to evaluate: a metric needs at least one labeled recording")
    for name, values in (("targets", y), ("predictions", p)):
        bad = int((~np.isfinite(values)).sum())
        if bad:
            raise ValueError(
                f"{bad} of {values.size} {name} are not finite: drop unlabeled rows, fix the others"
            )
    return y, p


def _check_classes(target: ArrayLike, prediction: ArrayLike) -> tuple[Array, Array]:
    """As `check_pair`, for targets in {0, 1}."""
    y, p = check_pair(target, prediction)
    foreign = sorted(set(np.unique(y).tolist()) - {0.0, 1.0})
    if foreign:
        raise ValueError(f"binary targets must be 0 or 1, found {foreign[:5]}")
    return y, p


def _check_decisions(target: ArrayLike, decision: ArrayLike) -> tuple[Array, Array]:
    """As `_check_classes`, for decisions in {0, 1} as well."""
    y, d = _check_classes(target, decision)
    if strange := sorted(set(np.unique(d).tolist()) - {0.0, 1.0}):
        raise ValueError(f"decisions must be 0 or 1, found {strange[:5]}")
    return y, d


def mae(target: ArrayLike, prediction: ArrayLike) -> Value:
    """Mean absolute error, `mean |y - p|`, in the unit of the scale."""
    return Value(float(_sklearn().mean_absolute_error(*check_pair(target, prediction))))


def rmse(target: ArrayLike, prediction: ArrayLike) -> Value:
    """Root mean squared error over all recordings, `sqrt(mean (y - p)^2)`, in the unit of the scale."""
    return Value(float(_sklearn().root_mean_squared_error(*check_pair(target, prediction))))


def pearson(target: ArrayLike, prediction: ArrayLike) -> Value:
    """Pearson correlation; undefined when either side does not vary."""
    y, p = check_pair(target, prediction)
    if np.ptp(y) == 0:
        return Value(None, _FLAT_TARGET)
    if np.ptp(p) == 0:
        return Value(None, _FLAT_PREDICTION)
    return Value(float(stats.pearsonr(y, p).statistic))


def ccc(target: ArrayLike, prediction: ArrayLike) -> Value:
    """Concordance correlation coefficient, population form (Lin, Biometrics 1989; also AVEC).

    `CCC = 2 cov(y, p) / (var(y) + var(p) + (mean(y) - mean(p))^2)`, every moment divided by N.
    `torchmetrics` divides the (co)variances by N - 1 and leaves the squared difference of means alone, so
    its value is a little larger in magnitude when the means differ, and equal when they agree. A constant
    predictor has CCC 0.

    Examples:
        >>> round(ccc([1, 2, 3], [2, 3, 4]).value, 4)
        0.5714
    """
    y, p = check_pair(target, prediction)
    if np.ptp(y) == 0:
        return Value(None, _FLAT_TARGET)
    if np.ptp(p) == 0:  # exactly, not the rounding noise of the covariance
        return Value(0.0)
    covariance = float(np.mean((y - y.mean()) * (p - p.mean())))
    return Value(2 * covariance / float(y.var() + p.var() + (y.mean() - p.mean()) ** 2))


def pearson_within(target: ArrayLike, prediction: ArrayLike, subject: ArrayLike) -> Value:
    """Correlation of the visits within persons: Pearson after each person's own mean is taken away.

    The repeated-measures correlation of Bland and Altman (BMJ 1995): does the prediction move when the
    person does?

    Args:
        target: values (N,).
        prediction: values (N,).
        subject: person of each recording (N,).
    """
    y, p = check_pair(target, prediction)
    codes = np.unique(np.asarray(subject), return_inverse=True)[1]
    if np.bincount(codes).max() < 2:
        return Value(None, "no person has more than one recording")
    y, p = center_within(y, codes), center_within(p, codes)
    if np.allclose(y, 0):
        return Value(None, "no person's target changes between recordings")
    if np.allclose(p, 0):
        return Value(None, "no person's prediction changes between recordings")
    return Value(float((y @ p) / np.sqrt((y @ y) * (p @ p))))


def center_within(values: Array, codes: NDArray[np.int64]) -> Array:
    """Take each group's mean away; `codes` (N,) number the groups from 0."""
    means = np.bincount(codes, weights=values) / np.bincount(codes)
    centered: Array = values - means[codes]
    return centered


def auc(target: ArrayLike, prediction: ArrayLike) -> Value:
    """Area under the ROC curve: the chance that a positive ranks above a negative, ties counting one half."""
    y, p = _check_classes(target, prediction)
    return Value(None, _ONE_CLASS) if np.ptp(y) == 0 else Value(float(_sklearn().roc_auc_score(y, p)))


def auc_of_many(labels: Array, scores: Array) -> Array:
    """AUC by rank sums: (F,) of labels (N,) and scores (N, F), or (P,) of labels (P, N) and scores (N,)."""
    positive = labels.sum(axis=-1)
    wins: Array = labels @ stats.rankdata(scores, axis=0) - positive * (positive + 1) / 2
    area: Array = wins / (positive * (labels.shape[-1] - positive))
    return area


def average_precision(target: ArrayLike, prediction: ArrayLike) -> Value:
    """Average precision, `sum_k (R_k - R_{k-1}) P_k` over falling thresholds; chance is the prevalence."""
    y, p = _check_classes(target, prediction)
    return (
        Value(None, _NO_POSITIVE) if y.sum() == 0 else Value(float(_sklearn().average_precision_score(y, p)))
    )


def brier(target: ArrayLike, probability: ArrayLike) -> Value:
    """Brier score, `mean (y - p)^2` of a probability; 0 is perfect.

    Raises:
        ValueError: a prediction lies outside [0, 1].
    """
    y, p = _check_probability(target, probability)
    return Value(float(np.mean((y - p) ** 2)))


def ece(target: ArrayLike, probability: ArrayLike) -> Value:
    """Expected calibration error, `sum_b n_b/N |mean y_b - mean p_b|` in `ECE_BINS` equal bins of p.

    It is biased upwards when bins hold few recordings, so read it beside the reliability plot.

    Raises:
        ValueError: a prediction lies outside [0, 1].
    """
    y, p = _check_probability(target, probability)
    bins = np.minimum((p * ECE_BINS).astype(np.int64), ECE_BINS - 1)  # 1.0 belongs to the last
    gaps = np.bincount(bins, weights=y - p, minlength=ECE_BINS)
    return Value(float(np.abs(gaps).sum() / y.size))


def _check_probability(target: ArrayLike, probability: ArrayLike) -> tuple[Array, Array]:
    y, p = _check_classes(target, probability)
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"probabilities must lie in [0, 1], found {p.min():.4g} to {p.max():.4g}")
    return y, p


def sensitivity(target: ArrayLike, decision: ArrayLike) -> Value:
    """Recall of the positives, `TP / (TP + FN)`; `decision` is 0 or 1."""
    y, d = _check_decisions(target, decision)
    return Value(None, _NO_POSITIVE) if y.sum() == 0 else Value(float(d[y == 1].mean()))


def specificity(target: ArrayLike, decision: ArrayLike) -> Value:
    """Recall of the negatives, `TN / (TN + FP)`; `decision` is 0 or 1."""
    y, d = _check_decisions(target, decision)
    return Value(None, _NO_NEGATIVE) if y.sum() == y.size else Value(float((1 - d[y == 0]).mean()))


def precision(target: ArrayLike, decision: ArrayLike) -> Value:
    """Positive predictive value, `TP / (TP + FP)`; `decision` is 0 or 1."""
    y, d = _check_decisions(target, decision)
    return Value(None, NO_ALARM) if d.sum() == 0 else Value(float(y[d == 1].mean()))


def uar(target: ArrayLike, decision: ArrayLike) -> Value:
    """Unweighted average recall (balanced accuracy): mean of sensitivity and specificity; chance is 0.5."""
    y, d = _check_decisions(target, decision)
    return (
        Value(None, _ONE_CLASS) if np.ptp(y) == 0 else Value(float(_sklearn().balanced_accuracy_score(y, d)))
    )


def f1(target: ArrayLike, decision: ArrayLike) -> Value:
    """F1 of the positive class, `2 TP / (2 TP + FP + FN)`."""
    y, d = _check_decisions(target, decision)
    return Value(None, _NO_POSITIVE) if y.sum() == 0 else Value(float(2 * (y @ d) / (y + d).sum()))


def macro_f1(target: ArrayLike, decision: ArrayLike) -> Value:
    """Mean of the F1 of the positive and of the negative class."""
    y, d = _check_decisions(target, decision)
    return (
        Value(None, _ONE_CLASS)
        if np.ptp(y) == 0
        else Value(float(_sklearn().f1_score(y, d, average="macro")))
    )


def accuracy(target: ArrayLike, decision: ArrayLike) -> Value:
    """Share of right decisions."""
    y, d = _check_decisions(target, decision)
    return Value(float((y == d).mean()))


def quadratic_kappa(target: ArrayLike, prediction: ArrayLike) -> Value:
    """Cohen's kappa with quadratic weights for ordered bands (numbers from 0).

    A fractional prediction (the expected band) is rounded to the nearest band, halves upwards. It equals the
    population CCC of the two band numbers.
    """
    y, p = check_pair(target, prediction)
    if np.ptp(y) == 0:
        return Value(None, _FLAT_TARGET)
    bands = round_band(p)
    first, last = int(min(y.min(), bands.min())), int(max(y.max(), bands.max()))
    # every band between: of those that do not occur scikit-learn would know nothing, and weigh by place
    given = {"weights": "quadratic", "labels": np.arange(first, last + 1)}
    return Value(float(_sklearn().cohen_kappa_score(y.astype(int), bands.astype(int), **given)))


def item_kappa(target: ArrayLike, prediction: ArrayLike) -> Value:
    """Mean over items of Cohen's kappa with quadratic weights, each over the recordings with its answer.

    A fractional prediction (the expected answer) is rounded to the nearest one, halves upwards. Items that
    all answered alike have no kappa, and are left out of the mean.

    Args:
        target: Answers (N,J), NaN where there is none.
        prediction: Expected answers (N,J).

    Raises:
        ValueError: a prediction beside an answer is not finite.
    """
    y, p = np.asarray(target, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    if y.ndim != 2 or y.shape != p.shape:
        raise ValueError(f"answers {y.shape} and predictions {p.shape} must be two tables of one form")
    known = ~np.isnan(y)
    values = [
        quadratic_kappa(y[rows, item], p[rows, item]).value for item, rows in enumerate(known.T) if rows.any()
    ]
    found = [value for value in values if value is not None]
    return Value(float(np.mean(found))) if found else Value(None, "no item was answered in two ways")


def round_band(expected: Array) -> Array:
    """Nearest band, halves upwards."""
    bands: Array = np.floor(expected + 0.5)
    return bands


Definition = Callable[[ArrayLike, ArrayLike], Value]
