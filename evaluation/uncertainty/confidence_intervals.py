r"""Confidence intervals of metrics: a standard error over persons, on the scale on which it is symmetric.

With the standard error e and the degrees of freedom df of the jackknife (`jackknife`) and c the
97.5 % point of Student's t of df:

    share, in [0, 1]          all x with |\theta - x| <= c sqrt(x (1 - x) / n),  n = \theta (1 - \theta) / e^2
    error, from 0             \theta exp(\pm c e / \theta), no more than the scale has points
    correlation, in [-1, 1]   tanh(artanh \theta \pm c e / (1 - \theta^2))
    difference                \theta \pm c e, within the values that a difference can take

The first is Wilson's interval (JASA 1927) with the effective number of persons n of a survey (Korn and
Graubard, Survey Methodology 1998), the third Fisher's z. Which scale, and which df, was chosen by the
simulation in `docs/results/coverage.md`. The last, and Student's interval of a few seeds, can reach beyond
the range of a metric, such as [0, 1] of an AUC; there is no truth out there, so they are cut to it
(`within`), which leaves their coverage as it is. An error in points, and a difference of two, end at the
points that the questionnaire has (`scale_limits`).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import stats

from evaluation.metrics.catalog import RECORDS, Metric
from evaluation.tables.clusters import PERSONS
from evaluation.uncertainty.bootstrap import LEVEL, Estimate
from evaluation.uncertainty.jackknife import LeftOut

Scale = Literal["share", "error", "correlation", "difference"]
Limits = tuple[float, float]

WITHOUT_END: Limits = (-np.inf, np.inf)

METHODS = {  # over persons; over groups of them, these are named in their place
    "share": "jackknife over persons, Wilson",
    "error": "jackknife over persons, log",
    "correlation": "jackknife over persons, Fisher z",
    "difference": "jackknife over persons",
}
WILSON = "Wilson"
BOUNDARY = f"{WILSON}, persons counted"

MIN_PERSONS = 10
FEWEST_PERSONS = 3  # of two persons there is one difference, and Student's t of one degree of freedom

ONE_PERSON = "no interval: only one person"
BEYOND = "no interval: one person alone decides the value, or the values are too large"
NO_SPREAD = "no interval: leaving out any person changes nothing, so the spread between persons is not known"


def estimate(name: str, found: LeftOut, *, scale: Scale | None = None) -> Estimate:
    """A metric with its 95 % interval over persons, the method, and a warning where few persons carry it.

    Args:
        name: Name of the metric.
        found: The metric and its values without each person.
        scale: Where the interval is symmetric; that of the metric where not given.
    """
    if not np.isfinite(found.value):  # `summary.with_reasons` says so
        return Estimate(value=found.value, low=None, high=None)
    scale = scale or scale_of(RECORDS[name])
    if (persons := int(found.persons.sum())) < FEWEST_PERSONS:
        alone = ONE_PERSON if found.unit == PERSONS else f"no interval: 1 of the {found.unit} only"
        reason = alone if persons < 2 else f"no interval: only {persons} {found.unit}"
        return Estimate(value=found.value, low=None, high=None, reason=reason)
    spread = found.spread()
    if spread is None:
        return Estimate(value=found.value, low=None, high=None, reason=_undefined(found))
    # where everybody is right, leaving anybody out changes nothing and the jackknife has a width of zero: so
    # the persons of the smallest class are counted as independent trials
    if scale == "share" and found.value in (0.0, 1.0) and found.fewest > 0:
        low, high = wilson(found.value, found.fewest, float(stats.norm.ppf((1 + LEVEL) / 2)))
        method = BOUNDARY
    elif spread.flat:
        return Estimate(value=found.value, low=None, high=None, reason=_over(found.unit, NO_SPREAD))
    else:
        ends = interval(found.value, spread.error, spread.df, scale)
        low, high = within(ends, limits(name, difference=scale == "difference"))
        method = METHODS[scale]
    if not np.isfinite((low, high)).all():
        return Estimate(value=found.value, low=None, high=None, reason=BEYOND)
    out = Estimate(value=found.value, low=low, high=high, method=_over(found.unit, method))
    if (warning := _warning(name, found)) is not None:
        out["warning"] = warning
    return out


def interval(value: float, error: float, df: float, scale: Scale) -> tuple[float, float]:
    """Both ends of the interval of a value with a positive standard error."""
    c = float(stats.t.ppf((1 + LEVEL) / 2, df))
    if scale == "share":
        # as many independent persons as would give this standard error
        return wilson(value, value * (1 - value) / error**2, c)
    if scale == "error":
        with np.errstate(over="ignore"):  # `estimate` says so
            factor = float(np.exp(c * error / value))
        return value / factor, value * factor
    if scale == "correlation":
        middle, half = np.arctanh(value), c * error / (1 - value**2)  # delta method: slope of artanh
        return float(np.tanh(middle - half)), float(np.tanh(middle + half))
    return value - c * error, value + c * error


def scale_of(metric: Metric) -> Scale:
    """The scale on which the interval of a metric is symmetric."""
    least, greatest = metric.range
    return "correlation" if least < 0 else "share" if np.isfinite(greatest) else "error"


def limits(name: str, *, difference: bool = False, span: float = np.inf) -> Limits:
    """Least and greatest value that a metric, or the difference of two of it, can take.

    Args:
        name: Name of the metric.
        difference: Of two of it.
        span: Points from the lowest to the highest total of the questionnaire, where it is known.

    Examples:
        >>> limits("auc"), limits("auc", difference=True), limits("mae")
        ((0.0, 1.0), (-1.0, 1.0), (0.0, inf))
        >>> limits("mae", span=63), limits("mae", difference=True, span=63)
        ((0.0, 63.0), (-63.0, 63.0))
    """
    least, greatest = RECORDS[name].range
    if RECORDS[name].unit == "points":  # one change can be a whole scale up, and be said to be one down
        greatest = min(greatest, 2.0 * span if RECORDS[name].kind == "change" else float(span))
    return (least - greatest, greatest - least) if difference else (least, greatest)


def within(ends: tuple[float, float], limits: Limits) -> tuple[float, float]:
    """Both ends of an interval cut to the values that are possible, which the truth is among.

    Examples:
        >>> within((0.9, 1.2), (0.0, 1.0))
        (0.9, 1.0)
    """
    return max(ends[0], limits[0]), min(ends[1], limits[1])


def t_interval(values: Sequence[float], *, limits: Limits) -> tuple[float, float | None, float | None]:
    """Mean of independent values, such as those of training seeds, and both ends of Student's interval.

    Of paired differences this is the paired interval; a single value has no ends.

    Args:
        values: One a seed.
        limits: What a value can be, see `limits`: the interval is cut to it.
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, None, None
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * stats.sem(values))
    return mean, *within((mean - half, mean + half), limits)


def wilson(share: float, count: float, c: float) -> tuple[float, float]:
    """Wilson's interval of a share among `count` independent persons."""
    z = c**2 / count
    middle = (share + z / 2) / (1 + z)
    half = float(np.sqrt(z * share * (1 - share) + z**2 / 4)) / (1 + z)
    return max(0.0, middle - half), min(1.0, middle + half)


def _over(unit: str, text: str) -> str:
    """A text about persons, about what left in their place."""
    return text.replace(PERSONS, unit)


def _undefined(found: LeftOut) -> str:
    alone = int((~np.isfinite(found.values[found.persons])).sum())
    persons = int(found.persons.sum())
    return f"no interval: it rests on single {found.unit}, without {alone} of the {persons} it is undefined"


def _warning(name: str, found: LeftOut) -> str | None:
    persons = int(found.persons.sum())
    classes = found.fewest < persons  # a metric without classes counts all persons in `fewest`
    if classes and found.fewest < (bound := RECORDS[name].min_class):
        noun = "person" if found.fewest == 1 and found.unit == PERSONS else found.unit
        return (
            f"only {found.fewest} {noun} of a class: below {bound} no interval can be relied on, and this "
            "one may miss the truth too often"
        )
    if persons < MIN_PERSONS:
        return f"only {persons} {found.unit}: below {MIN_PERSONS} the interval may miss the truth too often"
    return None
