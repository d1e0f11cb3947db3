"""Summary of a run: the metrics of one split, and the content of `metrics.json`."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from datamodules.schema import UNKNOWN
from evaluation.metrics.applicable import labeled
from evaluation.metrics.catalog import METRICS
from evaluation.tables.aggregate import to_subjects
from evaluation.tables.schema import HEADS
from evaluation.uncertainty.estimates import estimates

Summary = dict[str, Any]


def summarize(recordings: pd.DataFrame, *, threshold: float | None) -> Summary:
    """Every metric of one split with its interval over persons.

    Args:
        recordings: recording table of one split.
        threshold: decision threshold chosen on validation, or `None`.

    Returns:
        `{"auc": {"value", "low", "high"}, ...}`, plus `"counts"` and the same metrics over persons,
        `"by_subject"`.

    Raises:
        ValueError: the table is empty or holds a recording twice.
    """
    if recordings.empty:
        raise ValueError("no recordings to summarize: the split is empty")
    repeated = recordings.loc[recordings["recording_id"].duplicated(), "recording_id"].tolist()
    if repeated:
        raise ValueError(
            f"recordings {repeated[:5]} appear twice: combine their clips first (aggregate.to_recordings)"
        )
    out: Summary = dict(estimates(recordings, threshold=threshold))
    out["counts"] = counts(recordings)
    subjects = recordings[recordings["subject_id"] != UNKNOWN]
    if len(subjects):
        # a person's mean prediction is not the quantity the threshold was chosen for, so no decisions here
        persons = estimates(to_subjects(subjects))
        out["by_subject"] = {k: v for k, v in persons.items() if METRICS[k].by_subject}
    return out


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
        out["positive"] = int((recordings["binary_target"] == 1).sum())
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


def metrics_json(
    *,
    test: Summary,
    val: Summary | None,
    constant: Mapping[str, Any] | None,
    identity: Mapping[str, Any] | None,
    nuisance: Mapping[str, Any] | None,
    oracle: Mapping[str, Any] | None,
    reasons: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Assemble the content of `metrics.json`.

    Args:
        test: summary of the test split.
        val: summary of the validation split, if there is one.
        constant: summary of the constant guess on the test split.
        identity: summary of the identity look-up, or `None` where no subject is shared.
        nuisance: summary of the nuisance-only model.
        oracle: summaries of the ceilings, `{"raw": ..., "relative": ...}`, where the truth is known.
        reasons: why a line is `None`, by its name.
    """
    lines = {"constant": constant, "identity": identity, "nuisance": nuisance, "oracle": oracle}
    reference: dict[str, Any] = {name: None if line is None else dict(line) for name, line in lines.items()}
    absent = {name: why for name, why in (reasons or {}).items() if reference.get(name) is None}
    if absent:
        reference["reasons"] = absent
    return {"test": test, "val": val, "reference": reference}
