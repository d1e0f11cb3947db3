"""Metrics of a recording table, and differences between two, with intervals that cover small studies.

Every interval rests on the metric without each person in turn (`jackknife`), so a mean over
trainings or a difference of two models has one for the same price as a metric.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from evaluation.metrics.applicable import Measurement, measurements
from evaluation.tables.schema import HEADS
from evaluation.uncertainty.bootstrap import Estimate, align
from evaluation.uncertainty.confidence import METHODS, estimate
from evaluation.uncertainty.jackknife import LeftOut, leave_one_out, left_out, mean, minus

NOT_SMOOTH = "no interval: a binned error is biased upwards, and leaving persons out adds to it"

Bound = Sequence[Mapping[str, Measurement]]  # metric by name, one dict a table


def estimates(recordings: pd.DataFrame, *, threshold: float | None = None) -> dict[str, Estimate]:
    """Every metric the table supports, with its interval over persons.

    Args:
        recordings: recording table of one split.
        threshold: decision threshold chosen on validation, or `None`.
    """
    return mean_estimates(bind([recordings], [threshold]), [recordings])


def paired_difference(
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    threshold_a: float | None = None,
    threshold_b: float | None = None,
) -> dict[str, Estimate]:
    """Metric of `a` minus metric of `b` on the same recordings, with its interval over persons.

    Metrics that only one table supports, or that have no interval, are left out.

    Raises:
        ValueError: the tables hold different recordings, persons or targets.
    """
    a, b = align(a, b)
    same = threshold_a == threshold_b and same_predictions([a], [b])
    return mean_differences(bind([a], [threshold_a]), bind([b], [threshold_b]), [a], [b], same=same)


def bind(tables: Sequence[pd.DataFrame], thresholds: Sequence[float | None]) -> Bound:
    """The metrics of every table by their names."""
    return [
        {m.name: m for m in measurements(table, threshold=threshold)}
        for table, threshold in zip(tables, thresholds, strict=True)
    ]


def mean_estimates(bound: Bound, tables: Sequence[pd.DataFrame]) -> dict[str, Estimate]:
    """Mean of every metric over tables of the same recordings, with the interval of that mean.

    Args:
        bound: metrics of every table.
        tables: recording tables of the same recordings.
    """
    found = means(bound, tables)
    out: dict[str, Estimate] = {}
    for name in bound[0]:
        if (reason := why_undefined(name, bound)) is not None:
            out[name] = Estimate(value=None, low=None, high=None, reason=reason)
        elif name in found:
            out[name] = estimate(name, found[name])
        else:
            values = [value for one in bound if (value := one[name].value().value) is not None]
            value = sum(values) / len(values)
            out[name] = Estimate(value=value, low=None, high=None, reason=NOT_SMOOTH)
    return out


def mean_differences(
    bound_a: Bound,
    bound_b: Bound,
    tables_a: Sequence[pd.DataFrame],
    tables_b: Sequence[pd.DataFrame],
    *,
    same: bool = False,
) -> dict[str, Estimate]:
    """Mean metric of `a` minus mean metric of `b`, for the metrics of both that have an interval.

    Args:
        bound_a: metrics of every table of `a`.
        bound_b: the same of `b`.
        tables_a: recording tables of the same recordings in one order.
        tables_b: the same of `b`.
        same: the predictions and thresholds of both are the same, so that there is nothing to be unsure of.
    """
    found_a, found_b = means(bound_a, tables_a), means(bound_b, tables_b)
    out: dict[str, Estimate] = {}
    for name in [name for name in bound_a[0] if name in bound_b[0]]:
        if bound_a[0][name].metric.resampled is None:
            continue
        if (reason := why_undefined(name, bound_a) or why_undefined(name, bound_b)) is not None:
            out[name] = Estimate(value=None, low=None, high=None, reason=reason)
        else:
            out[name] = difference(name, found_a[name], found_b[name], same=same)
    return out


def difference(name: str, a: LeftOut, b: LeftOut, *, same: bool = False) -> Estimate:
    """The difference of two metrics with its interval over persons; exactly 0 for the same predictions."""
    found = estimate(name, minus(a, b), scale="difference")
    if same and found["low"] is None and found["value"] == 0 and a.persons.sum() > 1:
        return Estimate(value=0.0, low=0.0, high=0.0, method=METHODS["difference"])
    return found


def means(bound: Bound, tables: Sequence[pd.DataFrame]) -> dict[str, LeftOut]:
    """Mean over tables of every metric that all of them define, and the same without each person."""
    each = [
        left_out(by_name.values(), leave_one_out(table["subject_id"]))
        for by_name, table in zip(bound, tables, strict=True)
    ]
    shared = [name for name in each[0] if all(name in one for one in each)]
    return {name: mean([one[name] for one in each]) for name in shared}


def why_undefined(name: str, bound: Bound) -> str | None:
    """Why a metric has no value in one of the tables, or None where all have one."""
    reasons = [value.reason for one in bound if (value := one[name].value()).value is None]
    return (reasons[0] or "undefined") if reasons else None


def same_predictions(a: Sequence[pd.DataFrame], b: Sequence[pd.DataFrame]) -> bool:
    """Whether two sequences of aligned tables predict the same, number by number."""
    names = [f"{head}_prediction" for head in HEADS]
    return len(a) == len(b) and all(
        one[name].equals(other[name])
        for one, other in zip(a, b, strict=True)
        for name in names
        if name in one and name in other
    )
