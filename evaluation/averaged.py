"""Metrics averaged over several predictions of the same recordings (not metrics of the mean prediction).

Averaging the predictions of several trainings makes an ensemble, which is better than what was trained; the
mean of the metrics says what one training achieves. A person is left out of all tables at once.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from datamodules.schema import UNKNOWN
from evaluation.metrics.catalog import METRICS
from evaluation.summary import Summary, counts
from evaluation.tables.aggregate import to_subjects
from evaluation.tables.schema import HEADS
from evaluation.uncertainty.bootstrap import Estimate, align
from evaluation.uncertainty.estimates import Bound, bind, mean_differences, mean_estimates, same_predictions


def summarize_mean(tables: Sequence[pd.DataFrame]) -> Summary:
    """Every metric that needs no threshold, as its mean over tables with the interval of that mean.

    For a single table this is `summarize`.

    Args:
        tables: Recording tables of the same recordings, one a repeat.
    """
    out: Summary = dict(_estimates(tables))
    out["counts"] = counts(tables[0])
    known = [table[table["subject_id"] != UNKNOWN] for table in tables]
    if len(known[0]):
        persons = _estimates([to_subjects(table) for table in known])
        out["by_subject"] = {name: value for name, value in persons.items() if METRICS[name].by_subject}
    return out


def mean_difference(a: Sequence[pd.DataFrame], b: Sequence[pd.DataFrame]) -> dict[str, Estimate]:
    """Mean metric of `a` minus mean metric of `b`; for single tables this is `paired_difference`.

    Raises:
        ValueError: The tables hold different recordings, persons or targets.
    """
    for table in b:
        align(a[0], table)
    left, right = _ordered(a), _ordered(b)
    same = same_predictions(left, right)
    return mean_differences(_bound(left), _bound(right), left, right, same=same)


def mean_prediction(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table whose predictions are means over tables: for plots and lists, not for metrics."""
    ordered = _ordered(tables)
    names = [f"{head}_prediction" for head in HEADS if f"{head}_prediction" in ordered[0]]
    return ordered[0].assign(**{name: np.mean([table[name] for table in ordered], axis=0) for name in names})


def _estimates(tables: Sequence[pd.DataFrame]) -> dict[str, Estimate]:
    ordered = _ordered(tables)
    return mean_estimates(_bound(ordered), ordered)


def _ordered(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    return [table.sort_values("recording_id", ignore_index=True) for table in tables]


def _bound(tables: Sequence[pd.DataFrame]) -> Bound:
    return bind(tables, [None] * len(tables))
