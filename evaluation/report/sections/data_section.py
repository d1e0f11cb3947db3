"""Rows of the data section: who trained, and who was evaluated."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from datamodules.schema import UNKNOWN
from evaluation.tables.predictions import HEADS

_EMPTY = "–"  # noqa: RUF001 - an empty cell of a table


def data_rows(manifest: Mapping[str, Any], predictions: pd.DataFrame) -> list[dict[str, Any]]:
    """A row a part: `split, recordings, persons, visits`, and labels as text and, where known, as counts.

    Args:
        manifest: content of the run's `manifest.json`, which counts the training parts.
        predictions: recording table of all other parts.
    """
    return [*_trained(manifest), *_evaluated(predictions)]


def _trained(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Who trained: a row a split, as the record counts them; predictions know the other parts only."""
    rows = []
    for name, parts in (manifest.get("parts") or {}).items():
        counts = parts.get("train") or {}
        if not counts.get("recordings"):
            continue
        several = f" ({name})" if len(manifest["parts"]) > 1 else ""
        row = {name: counts[name] for name in ("recordings", "persons")}
        row |= {"split": f"train{several}", "visits": counts.get("visits", _EMPTY)}
        row |= {"positive": counts.get("positive"), "labeled": counts.get("labeled", counts["recordings"])}
        row["binary"] = f"{counts['positive']} of {counts['recordings']}" if "positive" in counts else _EMPTY
        row["score"] = "{:.1f} ({:.1f})".format(*counts["score"]) if "score" in counts else _EMPTY
        rows.append(row)
    return rows


def _evaluated(predictions: pd.DataFrame) -> list[dict[str, Any]]:
    """Who was evaluated: one row per split."""
    table = predictions if "split" in predictions else predictions.assign(split="all")
    rows = []
    for name, part in table.groupby("split", sort=False):
        known = part[part["subject_id"] != UNKNOWN]
        row = {
            "split": name,
            "recordings": len(part),
            "persons": known["subject_id"].nunique(),
            "visits": len(known[["subject_id", "session_id"]].drop_duplicates()),
        }
        for head in HEADS:
            target = f"{head}_target"
            values = part[target].dropna() if target in part else pd.Series(dtype=float)
            row[head] = _describe(head, values)
            if head == "binary" and len(values):
                row |= {"positive": int(values.sum()), "labeled": len(values)}
        rows.append(row)
    return rows


def _describe(head: str, values: "pd.Series[float]") -> str:
    if values.empty:
        return _EMPTY
    if head == "binary":
        return f"{int(values.sum())} of {len(values)}"
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return f"{values.mean():.1f} ({spread:.1f})"
