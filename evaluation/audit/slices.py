"""Metrics and coverage by subgroup: sex, age, task, site, corpus and answers.

Every group is compared with all other recordings that the same column describes. A person may have recordings
in several groups (tasks) and is left out of all of them at once.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.audit.coverage import coverage_measurement
from evaluation.metrics.applicable import measurements, subject_codes
from evaluation.uncertainty.bootstrap import Estimate
from evaluation.uncertainty.confidence_intervals import estimate
from evaluation.uncertainty.jackknife import LeaveOneOut, LeftOut, leave_out_of, left_out
from evaluation.uncertainty.table_estimates import difference

Array = NDArray[np.float64]

COLUMNS = ("sex", "age", "task", "site", "corpus", "discrepancy")
SHOWN = ("auc", "sensitivity", "specificity", "mae")
MIN_PERSONS = 5  # our choice: below, an interval over persons says nothing
_BANDS = 3


def slices(
    recordings: pd.DataFrame,
    facts: pd.DataFrame,
    *,
    threshold: float | None,
    age_edges: Sequence[float] | None = None,
    columns: Sequence[str] = COLUMNS,
) -> dict[str, Any]:
    """Metrics of every group of every column, with intervals over persons and the difference to the others.

    Args:
        recordings: recording table of one split.
        facts: manifest rows with `recording_id` and any of the columns.
        threshold: decision threshold chosen on validation, or `None`.
        age_edges: inner edges of the age bands, in years; terciles of the persons where not given.
        columns: of the facts, whose values make the groups.

    Returns:
        column -> `{"groups": [{"group", "recordings", "persons", "positive", <metric>: estimate,
        "difference": {<metric>: estimate}}, ...]}`; a group with fewer than `MIN_PERSONS` persons has a
        `reason` instead of metrics, one beside fewer others a `reason` instead of differences, a column that
        splits nobody a `reason` instead of groups.
    """
    known = facts.assign(recording_id=facts["recording_id"].astype(str)).set_index("recording_id")
    persons = leave_out_of(recordings)
    out: dict[str, Any] = {}
    for column in columns:
        if column not in known:
            out[column] = {"reason": "not in the manifest"}
            continue
        values = known[column].reindex(recordings["recording_id"]).reset_index(drop=True)
        names = (
            age_bands(values, recordings["subject_id"], edges=age_edges)
            if column == "age"
            else values.where(values.notna(), "").astype(str).str.strip()
        )
        if names[names != ""].nunique() < 2:
            out[column] = {"reason": "the tested recordings hold fewer than two groups"}
            continue
        order = sorted(set(names) - {""})
        if column == "age":
            order.sort(key=lambda band: pd.to_numeric(values)[names == band].min())
        described = (names != "").to_numpy()
        out[column] = {
            "groups": [
                _group(recordings, name, (names == name).to_numpy(), described, persons, threshold)
                for name in order
            ]
        }
        if missing := int((names == "").sum()):
            out[column]["without_value"] = missing
    return out


def age_bands(
    ages: "pd.Series[Any]", subjects: "pd.Series[Any]", *, edges: Sequence[float] | None = None
) -> "pd.Series[str]":
    """Name of the age band of each recording, empty where the age is missing.

    Args:
        ages: years (N,).
        subjects: persons (N,); without edges the bands hold a third of the *persons* each.
        edges: inner edges; a band holds its lower edge.
    """
    years = pd.to_numeric(ages, errors="coerce").to_numpy(dtype=np.float64)
    if edges is None:
        persons = pd.Series(years).groupby(subject_codes(subjects)).mean().dropna()
        if persons.empty:
            return pd.Series([""] * len(years))
        edges = np.unique(np.quantile(persons, np.arange(1, _BANDS) / _BANDS)).tolist()
    inner = [float(edge) for edge in edges]
    shown = [f"{edge:.1f}".removesuffix(".0") for edge in inner]
    labels = [f"under {shown[0]}", *(f"{a} to {b}" for a, b in pairwise(shown)), f"{shown[-1]} and over"]
    bands = np.digitize(years, inner)
    return pd.Series([labels[b] if np.isfinite(y) else "" for b, y in zip(bands, years, strict=True)])


def _group(
    recordings: pd.DataFrame,
    name: str,
    mine: NDArray[np.bool_],
    described: NDArray[np.bool_],
    persons: LeaveOneOut,
    threshold: float | None,
) -> dict[str, Any]:
    own = recordings[mine]
    count = _persons(own)
    out: dict[str, Any] = {"group": name, "recordings": len(own), "persons": count}
    if "binary_target" in own:
        out["positive"] = int((own["binary_target"] == 1).sum())
    if count < MIN_PERSONS:
        return out | {"reason": f"fewer than {MIN_PERSONS} persons"}
    ours = _measured(own, persons.part(mine), threshold)
    out |= {
        metric: estimate(metric, part) if isinstance(part, LeftOut) else part for metric, part in ours.items()
    }
    rest = described & ~mine
    if _persons(recordings[rest]) < MIN_PERSONS:
        return out | {"difference": {}, "reason": f"the others are fewer than {MIN_PERSONS} persons"}
    others = _measured(recordings[rest], persons.part(rest), threshold)
    out["difference"] = {
        metric: _difference(metric, part, others[metric]) for metric, part in ours.items() if metric in others
    }
    return out


def _persons(recordings: pd.DataFrame) -> int:
    return len(set(subject_codes(recordings["subject_id"]).tolist()))


def _measured(
    table: pd.DataFrame, persons: LeaveOneOut, threshold: float | None
) -> dict[str, LeftOut | Estimate]:
    """Each metric without each person, or an estimate that says why it is undefined."""
    bounds = [bound for bound in measurements(table, threshold=threshold) if bound.name in SHOWN]
    covered = coverage_measurement(table)
    bounds += [covered] if covered is not None else []
    found = left_out(bounds, persons)
    return {
        bound.name: found.get(bound.name)
        or Estimate(value=None, low=None, high=None, reason=bound.value().reason or "undefined")
        for bound in bounds
    }


def _difference(metric: str, ours: LeftOut | Estimate, others: LeftOut | Estimate) -> Estimate:
    if isinstance(ours, LeftOut) and isinstance(others, LeftOut):
        return difference(metric, ours, others)
    reason = next(part.get("reason", "undefined") for part in (ours, others) if not isinstance(part, LeftOut))
    return Estimate(value=None, low=None, high=None, reason=reason)


def flatten(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every group of every column as one row with its `column`, for a table."""
    return [{"column": column} | group for column, part in found.items() for group in part.get("groups", ())]
