"""The forecast of every metric: its interval, the smallest visible difference, and the persons needed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluation.forecast.design import Assumptions, Design
from evaluation.forecast.difference import persons_for, smallest_difference
from evaluation.forecast.labels import Labels
from evaluation.forecast.reader import METRICS, read, strength_of
from evaluation.forecast.width import Expected, expected

_LEFT = 0.5  # share of a reader's correlation that its CCC has at least, else none is told
CURVE = (10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)
"""Persons at which a forecast is drawn."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What a model is expected to reach; all defaults are our choice.

    Attributes:
        auc: Area under the ROC curve.
        mae: Mean absolute error in points; None is that of the reader with this AUC.
    """

    auc: float = 0.75
    mae: float | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the persons needed are counted for, by metric.

    Attributes:
        width: Of the 95 % interval.
        difference: Of two models.
    """

    width: Mapping[str, float]
    difference: Mapping[str, float]


def forecast(
    labels: Labels,
    design: Design,
    *,
    assumed: Assumptions,
    expectation: Expectation,
    wanted: Wanted,
    curve: Sequence[int] = CURVE,
) -> dict[str, dict[str, Any]]:
    """What every metric will look like that these labels have.

    Args:
        labels: Of persons like those that are tested.
        design: Who is tested.
        assumed: Of labels and predictions.
        expectation: Of the model.
        wanted: Widths and differences that persons are counted for.
        curve: Numbers of persons for `curve`.

    Returns:
        By metric `value`, `low`, `high`, `width`, `error`, `df`, `difference` with `second` and `weaker`,
        `persons` (`width` and `difference`: what is wanted, and how many) and `curve`; or the `reason` why
        there is none.

    Raises:
        UnreachableError: A value that is expected, and that no reader of these labels has.
    """
    out: dict[str, dict[str, Any]] = {}
    for metric in METRICS:
        strength = _strength(metric, labels, expectation)
        if not isinstance(strength, str) and metric == "ccc":
            strength = _shrunk(labels, strength) or strength
        if isinstance(strength, str):
            out[metric] = {"reason": strength}
        else:
            one = _One(metric, labels, strength, design, assumed)
            out[metric] = one.row(wanted) | {"curve": one.curve(curve)}
    return out


@dataclass(frozen=True)
class _One:
    """A metric of a model, with as many persons as one asks for."""

    metric: str
    labels: Labels
    strength: float
    design: Design
    assumed: Assumptions

    def row(self, wanted: Wanted) -> dict[str, Any]:
        """All but the curve; `reason` where so few persons have no interval."""
        persons = self.design.persons
        found = self._interval(persons)
        value = read(self.metric, self.labels.kinds, self.strength).value
        row: dict[str, Any] = {"value": value, "persons": self._needed(wanted)}
        if isinstance(found, str):
            return row | {"low": None, "high": None, "width": None, "reason": found}
        row |= {"low": found.low, "high": found.high, "width": found.width}
        return row | {"error": found.error, "df": found.df} | self._difference(persons)

    def curve(self, persons: Sequence[int]) -> list[dict[str, float | None]]:
        """Width and smallest difference by number of persons, None where there is none."""
        rows = []
        for count in sorted({*persons, self.design.persons}):
            found = self._interval(count)
            width = None if isinstance(found, str) else found.width
            rows.append(
                {"persons": count, "width": width, "difference": self._difference(count)["difference"]}
            )
        return rows

    def _needed(self, wanted: Wanted) -> dict[str, dict[str, float | int | None]]:
        width, difference = wanted.width[self.metric], wanted.difference[self.metric]

        def narrow(persons: int) -> bool:
            found = self._interval(persons)
            return not isinstance(found, str) and found.width <= width

        def visible(persons: int) -> bool:
            found = self._difference(persons)["difference"]
            return found is not None and found <= difference

        asked: tuple[tuple[str, float, Callable[[int], bool]], ...]
        asked = (("width", width, narrow), ("difference", difference, visible))
        return {name: {"wanted": value, "persons": persons_for(enough)} for name, value, enough in asked}

    def _interval(self, persons: int) -> Expected | str:
        """The interval, or why there is none."""
        reading = read(self.metric, self.labels.kinds, self.strength)
        try:
            return expected(self.metric, self.labels, reading, self._of(persons), self.assumed)
        except ValueError as few:
            return str(few)

    def _difference(self, persons: int) -> dict[str, Any]:
        found = smallest_difference(self.metric, self.labels, self.strength, self._of(persons), self.assumed)
        if found is None:
            return {"difference": None, "second": None, "weaker": None}
        return {"difference": found.difference, "second": found.second, "weaker": found.weaker}

    def _of(self, persons: int) -> Design:
        return replace(self.design, persons=persons)


def _strength(metric: str, labels: Labels, expectation: Expectation) -> float | str:
    """Strength of the model behind a metric, or why there is none."""
    classes = labels.positive is not None and np.ptp(labels.positive) > 0
    scores = labels.score is not None and np.ptp(labels.score) > 0
    if metric == "auc" and not classes:
        return "the labels that were read hold one class only"
    if metric != "auc" and not scores:
        return "no scores of one questionnaire that differ were read"
    if metric == "auc" or expectation.mae is None:
        if not classes:
            return "one class only, so that no AUC says how strong the model is: give mae="
        return strength_of("auc", labels.kinds, expectation.auc)
    return strength_of("mae", labels.kinds, expectation.mae)


def _shrunk(labels: Labels, strength: float) -> str | None:
    r"""Why a reader is too weak for its CCC to stand for that of a network; None where it is not.

    The best linear guess of correlation \rho with the scores is spread by \rho times their spread: its
    CCC is 2 \rho^2 / (1 + \rho^2), where guesses as widely spread as scores have \rho. A weak reader all but
    says a constant, whose CCC is surely 0; a network does not shrink so. The bound, our choice, is where half
    of \rho is left: \rho = 2 - \sqrt 3 = .27, an AUC of about .63 where labels are PHQ-9-like.
    """
    value = read("ccc", labels.kinds, strength).value
    correlation = float(np.sqrt(value / (2 - value)))
    if value >= _LEFT * correlation:
        return None
    return (
        "so weak a reader says nearly the same of everybody: its guesses correlate by "
        f"{correlation:.2f} with the scores, and their CCC is {value:.3f}; that of a network does not shrink "
        "so, and neither its interval nor the persons needed follow. Expect more than a correlation of "
        f"{2 - np.sqrt(3):.2f}: a higher auc= or a lower mae="
    )
