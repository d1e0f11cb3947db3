"""Summary of a run: the metrics of one split, over repeats where there are some, and `metrics.json`."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from datamodules.schema import UNKNOWN
from evaluation.metrics.applicable import labeled
from evaluation.metrics.catalog import METRICS
from evaluation.tables.aggregate import to_subjects
from evaluation.tables.clusters import cluster_column, unit_of, units
from evaluation.tables.predictions import HEADS, predicted_items, scales_of
from evaluation.uncertainty.table_estimates import estimates, in_order

Summary = dict[str, Any]

UNLABELED = "no recording of this part has a label: they are hidden, or missing"


def summarize(
    tables: Sequence[pd.DataFrame],
    thresholds: Sequence[float | None] | None = None,
    *,
    by_subject: bool = True,
) -> Summary:
    """Every metric of one split, as its mean over tables of the same recordings, with intervals over persons.

    Args:
        tables: recording tables of one split, one a repeat of a cross-validation; a list of one for a run.
        thresholds: decision threshold of each, chosen on validation; not given, decisions are undefined.
        by_subject: measure the mean prediction of each person as well, where it says anything.

    Returns:
        `{"auc": {"value", "low", "high"}, ...}`, plus `"counts"` and the same metrics over persons,
        `"by_subject"`; and `"intervals_over"` where intervals are over groups of persons, `"reason"`
        where no recording has a label.

    Raises:
        ValueError: a table is empty or holds a recording twice.
    """
    for table in tables:
        if table.empty:
            raise ValueError("no recordings to summarize: the split is empty")
        repeated = table.loc[table["recording_id"].duplicated(), "recording_id"].tolist()
        if repeated:
            raise ValueError(
                f"recordings {repeated[:5]} appear twice: combine their clips first (aggregate.to_recordings)"
            )
    out: Summary = dict(estimates(tables, thresholds))
    out["counts"] = counts(tables[0])
    if cluster_column(tables[0]) is not None:
        out["intervals_over"] = unit_of(tables[0])
    if not tables[0][[name for name in tables[0] if str(name).endswith("_target")]].notna().any(axis=None):
        out["reason"] = UNLABELED
    known = [table[table["subject_id"] != UNKNOWN] for table in tables]
    if by_subject and len(known[0]):
        # a person's mean prediction is not the quantity the threshold was chosen for, so no decisions here
        persons = estimates([to_subjects(table) for table in known])
        out["by_subject"] = {k: v for k, v in persons.items() if METRICS[k].by_subject}
    return out


def mean_prediction(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table whose predictions are means over tables: for plots and lists, not for metrics."""
    ordered = in_order(tables)
    names = [f"{head}_prediction" for head in HEADS if f"{head}_prediction" in ordered[0]]
    names += [f"{item}_prediction" for item in predicted_items(ordered[0])] + scales_of(ordered[0].columns)
    return ordered[0].assign(**{name: np.mean([table[name] for table in ordered], axis=0) for name in names})


def counts(recordings: pd.DataFrame) -> dict[str, int]:
    """How many recordings, persons, visits and labels a split holds."""
    known = recordings[recordings["subject_id"] != UNKNOWN]
    out = {
        "recordings": len(recordings),
        "subjects": int(known["subject_id"].nunique()),
        "sessions": int(known[["subject_id", "session_id"]].drop_duplicates().shape[0]),
        "unknown_subject": len(recordings) - len(known),
    }
    for head in HEADS:
        target, prediction = f"{head}_target", f"{head}_prediction"
        if {target, prediction} <= set(recordings.columns):
            out[f"labeled_{head}"] = len(labeled(recordings, target))
    if "binary_target" in recordings:
        for side, label in (("positive", 1), ("negative", 0)):
            own = recordings["binary_target"] == label
            out[side] = int(own.sum())
            out[f"{side}_subjects"] = int(known.loc[own[known.index], "subject_id"].nunique())
    if cluster_column(recordings) is not None:
        out["clusters"] = int(units(recordings).nunique())
    return out


NOT_FINITE = "no finite number came out of the computation"


def with_reasons(node: Any) -> Any:
    """The same content with null for every number that is not finite, with the reason beside a metric."""
    if isinstance(node, Mapping):
        out = {key: with_reasons(value) for key, value in node.items()}
        lost = any(isinstance(v, float) and not math.isfinite(v) for v in node.values())
        return {"reason": NOT_FINITE} | out if lost and "value" in node else out
    if isinstance(node, list | tuple):
        return [with_reasons(value) for value in node]
    return None if isinstance(node, float) and not math.isfinite(node) else node


LINES = (
    "constant", "identity", "nuisance", "traits", "last_score", "mean_score",
    "statistics", "coordination", "cross_correlation", "rocket", "oracle",
)  # fmt: skip


def metrics_json(
    *, test: Summary, val: Summary | None, reference: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Assemble the content of `metrics.json`.

    Args:
        test: summary of the test split.
        val: summary of the validation split, if there is one.
        reference: summary of each of `LINES` on the test split (those on series and `oracle` hold one a
            view), and under `reasons` why a line is missing, by its name.
    """
    known = reference or {}
    lines: dict[str, Any] = {name: dict(known[name]) if known.get(name) else None for name in LINES}
    absent = {name: why for name, why in known.get("reasons", {}).items() if lines.get(name) is None}
    return {"test": test, "val": val, "reference": lines | ({"reasons": absent} if absent else {})}
