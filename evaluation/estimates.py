"""Metrics of a recording table, and differences between two, with intervals that cover small studies.

Every interval rests on the metric without each person in turn (`evaluation.jackknife`), so a mean over
trainings or a difference of two models has one for the same price as a metric.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from evaluation.bootstrap import Estimate, align
from evaluation.confidence import METHODS, estimate
from evaluation.jackknife import LeftOut, left_out, leave_one_out, mean, minus
from evaluation.measures import HEADS, Measurement, measurements

NOT_SMOOTH = "no interval: a binned error is biased upwards, and leaving persons out adds to it"


def estimates(recordings: pd.DataFrame, *, threshold: float | None = None) -> dict[str, Estimate]:
    """Every metric the table supports, with its interval over persons.

    Args:
        recordings: recording table of one split.
        threshold: decision threshold chosen on validation, or `None`.
    """
    bound = [{m.name: m for m in measurements(recordings, threshold=threshold)}]
    return mean_estimates(bound, [recordings])


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
    bound_a = {m.name: m for m in measurements(a, threshold=threshold_a)}
    bound_b = {m.name: m for m in measurements(b, threshold=threshold_b)}
    same = threshold_a == threshold_b and same_predictions([a], [b])
    return mean_differences([bound_a], [bound_b], [a], [b], same=same)


Bound = Sequence[Mapping[str, Measurement]]  # one dict of metrics a table


def mean_estimates(bound: Bound, tables: Sequence[pd.DataFrame]) -> dict[str, Estimate]:
    """Mean of every metric over tables of the same recordings, with the interval of that mean.

    Args:
        bound: metric by name, one dict a table.
        tables: recording tables of the same recordings.
    """
    out: dict[str, Estimate] = {}
    weights = [leave_one_out(table["subject_id"]) for table in tables]
    for name in bound[0]:
        values, reason = _values(name, bound)
        if reason is not None:
            out[name] = Estimate(value=None, low=None, high=None, reason=reason)
        elif bound[0][name].metric.resampled is None:
            out[name] = Estimate(value=float(np.mean(values)), low=None, high=None, reason=NOT_SMOOTH)
        else:
            out[name] = estimate(name, mean(list(_left_out(name, bound, values, weights))))
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
        bound_a: metric by name, one dict a table.
        bound_b: the same of `b`.
        tables_a: recording tables of the same recordings in one order.
        tables_b: the same of `b`.
        same: the predictions and thresholds of both are the same, so that there is nothing to be unsure of.
    """
    weights_a, weights_b = (
        [leave_one_out(table["subject_id"]) for table in side] for side in (tables_a, tables_b)
    )
    out: dict[str, Estimate] = {}
    for name in [name for name in bound_a[0] if name in bound_b[0]]:
        if bound_a[0][name].metric.resampled is None:
            continue
        (values_a, why_a), (values_b, why_b) = _values(name, bound_a), _values(name, bound_b)
        if (reason := why_a or why_b) is not None:
            out[name] = Estimate(value=None, low=None, high=None, reason=reason)
            continue
        left = mean(list(_left_out(name, bound_a, values_a, weights_a)))
        right = mean(list(_left_out(name, bound_b, values_b, weights_b)))
        out[name] = difference(name, left, right, same=same)
    return out


def difference(name: str, a: LeftOut, b: LeftOut, *, same: bool = False) -> Estimate:
    """The difference of two metrics with its interval over persons; exactly 0 for the same predictions."""
    found = estimate(name, minus(a, b), scale="difference")
    if same and found["low"] is None and found["value"] == 0 and a.persons.sum() > 1:
        return Estimate(value=0.0, low=0.0, high=0.0, method=METHODS["difference"])
    return found


def same_predictions(a: Sequence[pd.DataFrame], b: Sequence[pd.DataFrame]) -> bool:
    """Whether two sequences of aligned tables predict the same, number by number."""
    return len(a) == len(b) and all(
        one[f"{head}_prediction"].equals(other[f"{head}_prediction"])
        for one, other in zip(a, b, strict=True)
        for head in HEADS
        if {f"{head}_prediction"} <= set(one) & set(other)
    )


def _values(name: str, bound: Bound) -> tuple[list[float], str | None]:
    """The metric of every table, and why it is undefined in one of them."""
    found = [by_name[name].value() for by_name in bound]
    values = [one.value for one in found if one.value is not None]
    reasons = [one.reason or "undefined" for one in found if one.value is None]
    return values, reasons[0] if reasons else None


def _left_out(
    name: str, bound: Bound, values: Sequence[float], weights: Sequence[np.ndarray]
) -> Iterator[LeftOut]:
    for by_name, value, own in zip(bound, values, weights, strict=True):
        yield left_out(by_name[name], value, own)
