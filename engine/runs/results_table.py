"""Table of several finished runs, such as folds or seeds: one row a run, then mean and spread."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from engine.runs.atomic_write import put
from engine.runs.provenance import read_manifest_json
from evaluation.metrics.catalog import METRICS
from evaluation.uncertainty.confidence_intervals import WITHOUT_END, Limits, limits, t_interval

_PLACE, _AT_THE_END = "chosen at", " at the end"
_SHOWN = ("auc", "mae", "ccc")  # of the test part, on the terminal; the file holds all


def run_row(folder: Path) -> dict[str, Any]:
    """What a finished run chose on validation and reached on test, by name.

    The epoch counts from 1, `of` how many, and `chosen at` is its place in the training, 1 at its end.

    Args:
        folder: Of the run; its `manifest.json` and `metrics.json` are read.
    """
    record, metrics = read_manifest_json(folder), folder / "metrics.json"
    row: dict[str, Any] = {}
    if chosen := record.get("chosen"):
        epoch, monitor = chosen["epoch"] + 1, chosen["monitor"]
        row |= {"epoch": epoch, monitor: chosen["value"]}
        if {"of", "last"} <= set(chosen):  # not in records of earlier versions
            row |= {
                "of": chosen["of"],
                _PLACE: epoch / chosen["of"],
                f"{monitor}{_AT_THE_END}": chosen["last"],
            }
    elif (value := record.get("objective")) is not None or record.get("folds"):
        known = [value] if value is not None else record.get("objectives", [])
        monitor = record.get("config", {}).get("selection", {}).get("monitor", "objective")
        row[monitor] = math.nan if None in known else sum(map(float, known)) / len(known)
    if metrics.is_file():
        test = json.loads(metrics.read_text(encoding="utf-8"))["test"]
        row |= {f"test/{name}": test[name]["value"] for name in METRICS if name in test}
    return row


def with_summary(rows: pd.DataFrame, *, summary: Sequence[str], span: float = math.inf) -> pd.DataFrame:
    """The rows with a summary of each column below.

    A column in which a run has no value has no summary: that of the others would be of fewer.

    Args:
        rows: One a run, with its name as the index.
        summary: Of `mean`, `sd`, and `low` and `high`, the ends of Student's interval of the mean, within the
            range of the metric: for runs that are independent, as seeds are and folds are not.
        span: Points of the questionnaire, which no error is beyond.
    """
    below = pd.DataFrame(index=list(summary), columns=rows.columns, dtype=float)
    for name in rows.columns:
        values = pd.to_numeric(rows[name], errors="coerce")
        if len(values) < 2 or not values.notna().all() or name in ("epoch", "of"):
            continue
        mean, low, high = t_interval(values.tolist(), limits=_limits(str(name), span))
        found = {"mean": mean, "sd": values.std(ddof=1), "low": low, "high": high}
        below[name] = [found[one] for one in summary]
    return pd.concat([rows.astype(object), below.astype(object)])


def _limits(column: str, span: float) -> Limits:
    """What a value of a column can be: `test/auc`, `val/auc at the end`, or a loss."""
    if column == _PLACE:
        return 0.0, 1.0
    metric = column.removesuffix(_AT_THE_END).rpartition("/")[2]
    return limits(metric, span=span) if metric in METRICS else WITHOUT_END


def write_results(
    path: Path,
    rows: Sequence[tuple[str, dict[str, Any]]],
    *,
    name: str,
    summary: Sequence[str],
    span: float = math.inf,
) -> str:
    """Write the table of runs with mean and spread, and return the columns that a terminal has room for.

    Args:
        path: CSV file.
        rows: Name of each run and its `run_row`.
        name: What the runs are, above their names.
        summary: As in `with_summary`.
        span: As in `with_summary`.
    """
    runs = pd.DataFrame([row for _, row in rows], index=[run for run, _ in rows])
    table = with_summary(runs, summary=summary, span=span)
    table.index.name = name
    put(path, table.to_csv().encode())
    return shown(table)


def shown(table: pd.DataFrame) -> str:
    """The chosen epoch, validation value and main test metrics of a table as text."""
    apart = [str(name) for name in table if str(name).startswith("test/") and str(name)[5:] not in _SHOWN]
    few = table.drop(columns=apart).map(lambda value: "-" if pd.isna(value) else f"{value:.4g}")
    few.columns.name, few.index.name = table.index.name, None
    return str(few.to_string())
