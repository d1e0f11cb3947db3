"""Metrics of several predictions of the same recordings: the mean of the metric, not the metric of the mean.

Averaging the predictions of several trainings makes an ensemble, which is better than what was trained; the
mean of the metrics says what one training achieves. All tables meet the same resamples of persons.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.aggregate import to_subjects
from evaluation.bootstrap import NO_BOOTSTRAP, Estimate, align, interval_of, resample
from evaluation.catalog import METRICS
from evaluation.measures import HEADS, UNKNOWN, measurements, subject_codes
from evaluation.summary import Summary, counts

_ONE_PERSON = "no interval: only one person"


class _Mean(NamedTuple):
    """Mean of a metric over tables, and of its resamples (R,) unless these would be biased."""

    value: float | None
    draws: NDArray[np.float64] | None = None
    reason: str | None = None


def summarize_mean(tables: Sequence[pd.DataFrame], *, n_boot: int = 2000, seed: int = 0) -> Summary:
    """Every metric that needs no threshold, as its mean over tables with the interval of that mean.

    For a single table this is `summarize`.

    Args:
        tables: Recording tables of the same recordings, one a repeat.
        n_boot: Resamples of persons.
        seed: Of the resamples.
    """
    out: Summary = dict(_estimates(tables, n_boot=n_boot, seed=seed))
    out["counts"] = counts(tables[0])
    known = [table[table["subject_id"] != UNKNOWN] for table in tables]
    if len(known[0]):
        persons = _estimates([to_subjects(table) for table in known], n_boot=n_boot, seed=seed)
        out["by_subject"] = {name: value for name, value in persons.items() if METRICS[name].by_subject}
    return out


def mean_difference(
    a: Sequence[pd.DataFrame], b: Sequence[pd.DataFrame], *, n_boot: int = 2000, seed: int = 0
) -> dict[str, Estimate]:
    """Mean metric of `a` minus mean metric of `b`; for single tables this is `paired_difference`.

    Raises:
        ValueError: The tables hold different recordings, persons or targets.
    """
    for table in b:
        align(a[0], table)
    left, right = (_means(tables, n_boot=n_boot, seed=seed) for tables in (a, b))
    out: dict[str, Estimate] = {}
    for name in [name for name in left if name in right]:
        one, other = left[name], right[name]
        if one.value is None or other.value is None:
            reason = one.reason or other.reason or "undefined"
            out[name] = Estimate(value=None, low=None, high=None, reason=reason)
        elif one.draws is not None and other.draws is not None:
            out[name] = _bounded(one.value - other.value, one.draws - other.draws, a[0])
    return out


def mean_prediction(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table whose predictions are means over tables: for plots and lists, not for metrics."""
    ordered = [table.sort_values("recording_id", ignore_index=True) for table in tables]
    names = [f"{head}_prediction" for head in HEADS if f"{head}_prediction" in ordered[0]]
    return ordered[0].assign(**{name: np.mean([table[name] for table in ordered], axis=0) for name in names})


def _estimates(tables: Sequence[pd.DataFrame], *, n_boot: int, seed: int) -> dict[str, Estimate]:
    out: dict[str, Estimate] = {}
    for name, mean in _means(tables, n_boot=n_boot, seed=seed).items():
        if mean.value is None:
            out[name] = Estimate(value=None, low=None, high=None, reason=mean.reason or "undefined")
        elif mean.draws is None:
            out[name] = Estimate(value=mean.value, low=None, high=None, reason=NO_BOOTSTRAP)
        else:
            out[name] = _bounded(mean.value, mean.draws, tables[0])
    return out


def _bounded(value: float, draws: NDArray[np.float64], table: pd.DataFrame) -> Estimate:
    if len(set(subject_codes(table["subject_id"]).tolist())) < 2:
        return Estimate(value=value, low=None, high=None, reason=_ONE_PERSON)
    return interval_of(value, draws)


def _means(tables: Sequence[pd.DataFrame], *, n_boot: int, seed: int) -> dict[str, _Mean]:
    ordered = [table.sort_values("recording_id", ignore_index=True) for table in tables]
    bound = [list(measurements(table, threshold=None)) for table in ordered]
    draws = [resample(t, b, n_boot=n_boot, seed=seed) for t, b in zip(ordered, bound, strict=True)]
    out: dict[str, _Mean] = {}
    for same in zip(*bound, strict=True):
        name, found = same[0].name, [one.value() for one in same]
        values = [one.value for one in found if one.value is not None]
        if len(values) < len(found):
            out[name] = _Mean(None, reason=next(one.reason for one in found if one.value is None))
        elif same[0].metric.resampled is None:
            out[name] = _Mean(float(np.mean(values)))
        else:
            out[name] = _Mean(float(np.mean(values)), np.mean([drawn[name] for drawn in draws], axis=0))
    return out
