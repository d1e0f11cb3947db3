"""Catalog of the metrics, one record each: how a metric is computed, resampled, read and compared.

To add a metric, add its record; tables, training, reports and comparisons follow. Its kind says which columns
it is computed on (`applicable.measurements`).
"""

import math
from dataclasses import dataclass
from typing import Literal

from evaluation.metrics import definitions as metrics
from evaluation.metrics import resampled as weighted
from evaluation.metrics.definitions import Definition

Kind = Literal["rank", "decision", "probability", "score", "within", "change", "direction", "band"]
Unit = Literal["points", "probability"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric.

    Attributes:
        name: In `metrics.json`, and after `val/` in training.
        label: Short name in tables and figures.
        meaning: What it says, in a few words.
        kind: Which columns it is computed on: `rank` and `decision` on the binary target and what ranks it
            (above a threshold), `probability` on the binary head, `score` on points, `within` and `change` on
            points within persons, `direction` on changes of band, `band` on severity bands.
        value: The metric of one sample.
        resampled: The metric under many weightings of the sample; None where a bootstrap would be biased.
        higher_is_better: Direction of improvement.
        range: Least and greatest value it can take.
        unit: Of the value; None for a number without one.
        chance: Value of a guess that knows nothing, where it is the same for all data.
        by_subject: Whether it is reported of persons' means as well.
    """

    name: str
    label: str
    meaning: str
    kind: Kind
    value: Definition
    resampled: weighted.Resampled | None
    higher_is_better: bool
    range: tuple[float, float] = (0.0, 1.0)
    unit: Unit | None = None
    chance: float | None = None
    by_subject: bool = True


_ALL = (
    Metric(
        name="auc",
        label="AUC",
        meaning="a positive recording ranks above a negative one; chance 0.5",
        kind="rank",
        value=metrics.auc,
        resampled=weighted.auc,
        higher_is_better=True,
        unit="probability",
        chance=0.5,
    ),
    Metric(
        name="average_precision",
        label="Average precision",
        meaning="area under precision and recall; chance is the prevalence",
        kind="rank",
        value=metrics.average_precision,
        resampled=weighted.average_precision,
        higher_is_better=True,
    ),
    Metric(
        name="uar",
        label="UAR",
        meaning="mean of sensitivity and specificity; chance 0.5",
        kind="decision",
        value=metrics.uar,
        resampled=weighted.uar,
        higher_is_better=True,
        unit="probability",
        chance=0.5,
        by_subject=False,
    ),
    Metric(
        name="f1",
        label="F1",
        meaning="of the positive class, at the validation threshold",
        kind="decision",
        value=metrics.f1,
        resampled=weighted.f1,
        higher_is_better=True,
        by_subject=False,
    ),
    Metric(
        name="sensitivity",
        label="Sensitivity",
        meaning="positives found, at the validation threshold",
        kind="decision",
        value=metrics.sensitivity,
        resampled=weighted.sensitivity,
        higher_is_better=True,
        unit="probability",
        by_subject=False,
    ),
    Metric(
        name="specificity",
        label="Specificity",
        meaning="negatives cleared, at the validation threshold",
        kind="decision",
        value=metrics.specificity,
        resampled=weighted.specificity,
        higher_is_better=True,
        unit="probability",
        by_subject=False,
    ),
    Metric(
        name="accuracy",
        label="Accuracy",
        meaning="right decisions, at the validation threshold",
        kind="decision",
        value=metrics.accuracy,
        resampled=weighted.accuracy,
        higher_is_better=True,
        unit="probability",
        by_subject=False,
    ),
    Metric(
        name="brier",
        label="Brier score",
        meaning="squared error of the probability; 0 is perfect",
        kind="probability",
        value=metrics.brier,
        resampled=weighted.brier,
        higher_is_better=False,
    ),
    Metric(
        name="ece",
        label="ECE",
        meaning="expected calibration error; small samples push it up",
        kind="probability",
        value=metrics.ece,
        # Resampling repeats recordings, which raises a binned error: percentiles would lie above the value.
        resampled=None,
        higher_is_better=False,
        unit="probability",
    ),
    Metric(
        name="mae",
        label="MAE",
        meaning="mean absolute error in points",
        kind="score",
        value=metrics.mae,
        resampled=weighted.mae,
        higher_is_better=False,
        range=(0.0, math.inf),
        unit="points",
    ),
    Metric(
        name="rmse",
        label="RMSE",
        meaning="root mean squared error in points",
        kind="score",
        value=metrics.rmse,
        resampled=weighted.rmse,
        higher_is_better=False,
        range=(0.0, math.inf),
        unit="points",
    ),
    Metric(
        name="pearson",
        label="Pearson r",
        meaning="linear correlation over recordings",
        kind="score",
        value=metrics.pearson,
        resampled=weighted.pearson,
        higher_is_better=True,
        range=(-1.0, 1.0),
        chance=0.0,
    ),
    Metric(
        name="ccc",
        label="CCC",
        meaning="concordance, population form; a constant guess has 0",
        kind="score",
        value=metrics.ccc,
        resampled=weighted.ccc,
        higher_is_better=True,
        range=(-1.0, 1.0),
        chance=0.0,
    ),
    Metric(
        name="pearson_within",
        label="r within persons",
        meaning="does the prediction move when the person does?",
        kind="within",
        value=metrics.pearson,
        resampled=weighted.pearson_centered,
        higher_is_better=True,
        range=(-1.0, 1.0),
        chance=0.0,
        by_subject=False,
    ),
    Metric(
        name="change_mae",
        label="MAE of change",
        meaning="between a person's visits, in points; the constant guess says no change",
        kind="change",
        value=metrics.mae,
        resampled=weighted.mae,
        higher_is_better=False,
        range=(0.0, math.inf),
        unit="points",
    ),
    Metric(
        name="change_pearson",
        label="r of change",
        meaning="predicted against true change between a person's visits",
        kind="change",
        value=metrics.pearson,
        resampled=weighted.pearson,
        higher_is_better=True,
        range=(-1.0, 1.0),
        chance=0.0,
    ),
    Metric(
        name="change_direction",
        label="Direction of change",
        meaning="right where the band changed between visits; chance 0.5",
        kind="direction",
        value=metrics.accuracy,
        resampled=weighted.accuracy,
        higher_is_better=True,
        unit="probability",
        chance=0.5,
    ),
    Metric(
        name="quadratic_kappa",
        label="Quadratic kappa",
        meaning="agreement on severity bands",
        kind="band",
        value=metrics.quadratic_kappa,
        resampled=weighted.quadratic_kappa,
        higher_is_better=True,
        range=(-1.0, 1.0),
        chance=0.0,
    ),
)

METRICS = {metric.name: metric for metric in _ALL}
"""Every metric by its name, in the order of the report."""

COVERAGE = Metric(
    name="coverage",
    label="Coverage",
    meaning="scores inside their own interval; as many as promised is right, more is not better",
    kind="score",
    value=metrics.accuracy,
    resampled=weighted.accuracy,
    higher_is_better=True,
    unit="probability",
)
"""Not among `METRICS`: it needs intervals beside the predictions, and is held against what they promise."""


def of_kind(kind: Kind) -> list[Metric]:
    """The metrics that are computed on the same columns, in the order of the report."""
    return [metric for metric in _ALL if metric.kind == kind]


def lower_is_better(name: str) -> bool:
    """Whether a metric improves as it falls; one without a record is taken to rise."""
    return name in METRICS and not METRICS[name].higher_is_better
