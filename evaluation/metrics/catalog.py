"""Catalog of the metrics, one record each: how a metric is computed, resampled, read, compared and tested.

To add a metric, add its record; tables, training, intervals, reports and comparisons follow. Its kind says
which columns it is computed on (`applicable.measurements`).
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

from evaluation.metrics import definitions as metrics
from evaluation.metrics import resampled as weighted
from evaluation.metrics.definitions import Definition

Kind = Literal["rank", "decision", "probability", "score", "within", "change", "direction", "band", "item"]
Unit = Literal["points", "probability"]
Reads = Literal["ranks", "standardized values", "values"]

MIN_CLASS = 5  # persons of a class: below, no method covered 92 % in every line of docs/results/coverage.md


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: In `metrics.json`, and after `val/` in training.
        label: Short name in tables and figures.
        meaning: What it says, in a few words.
        value: The metric of one sample.
        resampled: The metric under many weightings of the sample; None where a bootstrap would be biased.
        kind: Which columns it is computed on: `rank` and `decision` on the binary target and what ranks it
            (above a threshold), `probability` on the binary head, `score` on points, `within` and `change` on
            points within persons, `direction` on changes of band, `band` on severity bands, `item` on answers
            to all items (N,J), NaN where there is none.
        higher_is_better: Direction of improvement.
        range: Least and greatest value it can take.
        unit: Of the value; None for a number without one.
        chance: Value of a guess that knows nothing, where it is the same for all data.
        by_subject: Whether it is reported of persons' means as well.
        classes: Classes that it needs persons of; none where it only needs persons.
        min_class: Persons of each of them below which its interval is not to be relied on.
        reads: What of the predictions it depends on; no other scale or place of them changes it.
    """

    name: str
    label: str
    meaning: str
    value: Definition
    resampled: weighted.Resampled | None
    kind: Kind = "score"
    higher_is_better: bool = True
    range: tuple[float, float] = (0.0, 1.0)
    unit: Unit | None = None
    chance: float | None = None
    by_subject: bool = True
    classes: tuple[float, ...] = ()
    min_class: int = MIN_CLASS
    reads: Reads = "values"


_BOTH, _POSITIVE, _NEGATIVE = (0.0, 1.0), (1.0,), (0.0,)
_rank = partial(Metric, kind="rank", classes=_BOTH, reads="ranks")
_decision = partial(Metric, kind="decision", by_subject=False)
_points = partial(Metric, higher_is_better=False, range=(0.0, math.inf), unit="points")
_agreement = partial(Metric, range=(-1.0, 1.0), chance=0.0)
_correlation = partial(_agreement, reads="standardized values")

_ALL = (
    _rank(
        "auc", "AUC", "a positive recording ranks above a negative one; chance 0.5",
        metrics.auc, weighted.auc, unit="probability", chance=0.5,
    ),
    _rank(
        "average_precision", "Average precision", "area under precision and recall; chance is the prevalence",
        metrics.average_precision, weighted.average_precision,
    ),
    _decision(
        "uar", "UAR", "mean of sensitivity and specificity; chance 0.5",
        metrics.uar, weighted.uar, unit="probability", chance=0.5, classes=_BOTH, min_class=10,
    ),
    _decision(
        "f1", "F1", "of the positive class, at the validation threshold",
        metrics.f1, weighted.f1, classes=_POSITIVE,
    ),
    _decision(
        "macro_f1", "Macro F1", "mean of the F1 of both classes, at the validation threshold",
        metrics.macro_f1, weighted.macro_f1, classes=_BOTH,
    ),
    _decision(
        "sensitivity", "Sensitivity", "positives found, at the validation threshold",
        metrics.sensitivity, weighted.sensitivity, unit="probability", classes=_POSITIVE,
    ),
    _decision(
        "specificity", "Specificity", "negatives cleared, at the validation threshold",
        metrics.specificity, weighted.specificity, unit="probability", classes=_NEGATIVE,
    ),
    _decision(
        "precision", "PPV", "of those decided positive, who is; it falls with the share of positives",
        metrics.precision, weighted.precision, unit="probability",
    ),
    _decision(
        "accuracy", "Accuracy", "right decisions, at the validation threshold",
        metrics.accuracy, weighted.accuracy, unit="probability",
    ),
    Metric(
        "brier", "Brier score", "squared error of the probability; 0 is perfect",
        metrics.brier, weighted.brier, kind="probability", higher_is_better=False,
    ),
    Metric(
        "ece", "ECE", "expected calibration error; small samples push it up",
        # Resampling repeats recordings, which raises a binned error: percentiles would lie above the value.
        metrics.ece, None, kind="probability", higher_is_better=False, unit="probability",
    ),
    _points("mae", "MAE", "mean absolute error in points", metrics.mae, weighted.mae),
    _points("rmse", "RMSE", "root mean squared error in points", metrics.rmse, weighted.rmse),
    _correlation(
        "pearson", "Pearson r", "linear correlation over recordings", metrics.pearson, weighted.pearson
    ),
    _agreement(
        "ccc", "CCC", "concordance, population form; a constant guess has 0", metrics.ccc, weighted.ccc
    ),
    _correlation(
        "pearson_within", "r within persons", "does the prediction move when the person does?",
        metrics.pearson, weighted.pearson_centered, kind="within", by_subject=False,
    ),
    _points(
        "change_mae", "MAE of change",
        "between a person's visits, in points; the constant guess says no change",
        metrics.mae, weighted.mae, kind="change",
    ),
    _correlation(
        "change_pearson", "r of change", "predicted against true change between a person's visits",
        metrics.pearson, weighted.pearson, kind="change",
    ),
    Metric(
        "change_direction", "Direction of change", "right where the band changed between visits; chance 0.5",
        metrics.accuracy, weighted.accuracy, kind="direction", unit="probability", chance=0.5,
    ),
    _agreement(
        "quadratic_kappa", "Quadratic kappa", "agreement on severity bands",
        metrics.quadratic_kappa, weighted.quadratic_kappa, kind="band",
    ),
    _agreement(
        "item_kappa", "Item kappa", "quadratic kappa of the answers, the mean over items",
        metrics.item_kappa, weighted.item_kappa, kind="item", by_subject=False,
    ),
)  # fmt: skip

METRICS = {metric.name: metric for metric in _ALL}
"""Every metric by its name, in the order of the report."""

COVERAGE = Metric(
    "coverage",
    "Coverage",
    "scores inside their own interval; as many as promised is right, more is not better",
    metrics.accuracy,
    weighted.accuracy,
    unit="probability",
)
"""Not among `METRICS`: it needs intervals beside the predictions, and is held against what they promise."""

RECORDS = {**METRICS, COVERAGE.name: COVERAGE}
"""All that has a name, a label and an interval."""


def of_kind(kind: Kind) -> list[Metric]:
    """The metrics that are computed on the same columns, in the order of the report."""
    return [metric for metric in _ALL if metric.kind == kind]
