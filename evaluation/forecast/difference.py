r"""The smallest difference of two models that a comparison sees, and the persons that it takes.

`evaluation.comparison` exchanges the predictions of persons. Over exchanges a difference has the mean square
\sum_i d_i^2 of what the persons contribute, which makes the test that of Student for paired persons in all
but the smallest samples (Fisher 1935; Romano, Annals of Statistics 1990). So with standard error e over
persons a true difference d is seen with the power of the noncentral t of d / e. It holds for one
metric that was named before looking (`metric=auc`): Holm's correction over many asks for more.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from evaluation.comparison.statistics import ALPHA
from evaluation.forecast.design import Assumptions, Design, moments_of_difference
from evaluation.forecast.labels import Labels
from evaluation.forecast.reader import STRONGEST, Reading, read
from evaluation.forecast.width import classes
from evaluation.uncertainty.confidence_intervals import FEWEST_PERSONS

POWER = 0.8
_MOST = 10_000_000  # persons beyond which none are looked for
_CLEAR = 5.0  # standard errors beyond which the wrong side is never taken; scipy has no value of it there


class Visible(NamedTuple):
    """The smallest difference that is seen, and what the second model then has: less, or more."""

    difference: float
    second: float
    weaker: bool


def smallest_difference(
    metric: str,
    labels: Labels,
    strength: float,
    design: Design,
    assumed: Assumptions,
    *,
    power: float = POWER,
) -> Visible | None:
    """How far a second model must be from the first to be told apart.

    Looked for is a weaker one; where not even a guess is so bad, a stronger one; None where not even one that
    knows the label is so good, or where fewer than three persons are tested.

    Args:
        metric: Its name.
        labels: Of persons like those that are tested.
        strength: Of the first model (`reader.strength_of`).
        design: Who is tested.
        assumed: Of labels and predictions.
        power: Probability that the test sees it.
    """
    if design.persons < FEWEST_PERSONS:
        return None
    needed = _noncentrality(design.persons, power)
    first = read(metric, labels.kinds, strength)
    try:
        few = _few_of_a_class(metric, labels, first, design, assumed)
    except ValueError:  # fewer than two persons of a class: nothing is told apart
        return None

    def excess(other: float) -> float:
        second = read(metric, labels.kinds, other)
        variance = few * design.variance(moments_of_difference(labels, first, second, assumed))
        return abs(first.value - second.value) - needed * float(np.sqrt(max(variance, 0.0)))

    for end in (0.0, STRONGEST):
        if excess(end) > 0:
            other = read(
                metric, labels.kinds, float(brentq(excess, *sorted((end, strength)), xtol=1e-6))
            ).value
            return Visible(abs(first.value - other), other, weaker=end == 0)
    return None


def power_of(
    metric: str, labels: Labels, strengths: tuple[float, float], design: Design, assumed: Assumptions
) -> float:
    """Probability that the test tells two models apart."""
    a, b = (read(metric, labels.kinds, one) for one in strengths)
    few = _few_of_a_class(metric, labels, a, design, assumed)
    error = float(np.sqrt(few * design.variance(moments_of_difference(labels, a, b, assumed))))
    return _power(abs(a.value - b.value) / error, design.persons)


def persons_for(enough: Callable[[int], bool]) -> int | None:
    """Fewest persons that are enough, by bisection; None where none are.

    Args:
        enough: Whether so many are, which more are as well.

    Examples:
        >>> persons_for(lambda persons: persons >= 123)
        123
    """
    few, many = FEWEST_PERSONS, 2 * FEWEST_PERSONS
    if enough(few):
        return few
    while not enough(many):
        few, many = many, 2 * many
        if few > _MOST:
            return None
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many


def _few_of_a_class(
    metric: str, labels: Labels, first: Reading, design: Design, assumed: Assumptions
) -> float:
    """By what few persons of a class raise the variance of an AUC, and (our choice) of a difference."""
    if metric != "auc":
        return 1.0
    return classes(labels, first, design, assumed.icc_labels).sampling()


@cache
def _noncentrality(persons: int, power: float) -> float:
    """Difference in standard errors that is seen with this power."""
    return float(brentq(lambda d: _power(d, persons) - power, 0.0, 20.0))


def _power(shift: float, persons: int) -> float:
    """Of Student's test of one sample, both sides."""
    df = persons - 1
    edge = float(stats.t.ppf(1 - ALPHA / 2, df))
    wrong = float(stats.nct.cdf(-edge, df, shift)) if shift < _CLEAR else 0.0
    return float(stats.nct.sf(edge, df, shift)) + wrong
