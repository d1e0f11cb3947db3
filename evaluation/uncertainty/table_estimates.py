"""Metrics of recording tables, and differences between two models, with intervals that cover small studies.

Every function takes a list of tables of the same recordings, one a training seed or a repeat of a
cross-validation, and speaks of the mean of a metric over them; one table is a list of one. The mean of the
metrics says what one training achieves, while averaging predictions makes an ensemble, which is better than
what was trained. Every interval rests on the metric without each person in turn (`jackknife`), or without
each group of persons (`tables.clusters`), and a person is left out of all tables at once; so a mean or a
difference has an interval for the same price as a metric.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from evaluation.metrics.applicable import Measurement, measurements
from evaluation.tables.clusters import same_clusters
from evaluation.tables.pairing import check_paired
from evaluation.tables.predictions import HEADS
from evaluation.uncertainty.bootstrap import Estimate
from evaluation.uncertainty.confidence_intervals import METHODS, estimate
from evaluation.uncertainty.jackknife import LeftOut, leave_out_of, left_out, mean, minus

NOT_SMOOTH = "no interval: a binned error is biased upwards, and leaving persons out adds to it"

Tables = Sequence[pd.DataFrame]
Thresholds = Sequence[float | None]
Bound = Sequence[Mapping[str, Measurement]]  # metric by name, one dict a table


def estimates(tables: Tables, thresholds: Thresholds | None = None) -> dict[str, Estimate]:
    """Every metric that the tables support, as its mean over them with the interval of that mean.

    Args:
        tables: recording tables of the same recordings.
        thresholds: decision threshold of each, chosen on validation; not given, decisions are undefined.
    """
    # a single table keeps its order: sums in another order differ in their last digit
    tables = tables if len(tables) == 1 else in_order(tables)
    bound = bind(tables, thresholds)
    found = _means(bound, tables)
    out: dict[str, Estimate] = {}
    for name in bound[0]:
        if (reason := why_undefined(name, bound)) is not None:
            out[name] = Estimate(value=None, low=None, high=None, reason=reason)
        elif name in found:
            out[name] = estimate(name, found[name])
        else:
            values = [value for one in bound if (value := one[name].value().value) is not None]
            out[name] = Estimate(value=sum(values) / len(values), low=None, high=None, reason=NOT_SMOOTH)
    return out


def paired_differences(
    a: Tables, b: Tables, *, thresholds_a: Thresholds | None = None, thresholds_b: Thresholds | None = None
) -> dict[str, Estimate]:
    """Mean metric over `a` minus mean metric over `b`, with its interval over persons, or over groups of `a`.

    Metrics that only one side supports, or that have no interval, are left out.

    Raises:
        ValueError: the tables hold different recordings, persons or targets.
    """
    for table in (*a[1:], *b):
        check_paired(a[0], table)
    a = in_order(a)
    a, b = ([same_clusters(table, a[0]) for table in tables] for tables in (a, in_order(b)))
    bound_a, bound_b = bind(a, thresholds_a), bind(b, thresholds_b)
    found_a, found_b = _means(bound_a, a), _means(bound_b, b)
    same = thresholds_a == thresholds_b and _same_predictions(a, b)
    out: dict[str, Estimate] = {}
    for name in [name for name in bound_a[0] if name in bound_b[0]]:
        if bound_a[0][name].metric.resampled is None:
            continue
        if (reason := why_undefined(name, (*bound_a, *bound_b))) is not None:
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


def bind(tables: Tables, thresholds: Thresholds | None = None) -> Bound:
    """The metrics of every table by their names."""
    return [
        {m.name: m for m in measurements(table, threshold=threshold)}
        for table, threshold in zip(tables, thresholds or [None] * len(tables), strict=True)
    ]


def why_undefined(name: str, bound: Bound) -> str | None:
    """Why a metric has no value in one of the tables, or None where all have one."""
    reasons = [value.reason for one in bound if (value := one[name].value()).value is None]
    return (reasons[0] or "undefined") if reasons else None


def in_order(tables: Tables) -> list[pd.DataFrame]:
    """The tables by `recording_id`, so that a row is the same recording in all of them."""
    return [table.sort_values("recording_id", ignore_index=True) for table in tables]


def _means(bound: Bound, tables: Tables) -> dict[str, LeftOut]:
    """Mean over tables of every metric that all of them define, and the same without each person."""
    each = [
        left_out(by_name.values(), leave_out_of(table)) for by_name, table in zip(bound, tables, strict=True)
    ]
    shared = [name for name in each[0] if all(name in one for one in each)]
    return {name: mean([one[name] for one in each]) for name in shared}


def _same_predictions(a: Tables, b: Tables) -> bool:
    """Whether two lists of aligned tables predict the same, number by number."""
    names = [f"{head}_prediction" for head in HEADS]
    return len(a) == len(b) and all(
        one[name].equals(other[name])
        for one, other in zip(a, b, strict=True)
        for name in names
        if name in one and name in other
    )
