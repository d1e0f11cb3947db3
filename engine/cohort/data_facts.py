"""What a run's record, and so its pages, say of the data: name, questionnaire, and who is in each part."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.manifests.scales import SCALES
from datamodules.schema import UNKNOWN
from datamodules.splits.partition import PARTS, Split

DESCRIBED = ("sex", "site", "corpus")
"""Columns whose persons are counted by value."""


def data_facts(manifest: Manifest, splits: Sequence[Split]) -> dict[str, Any]:
    """Facts of the recordings for `manifest.json`.

    Returns:
        `data` (the name), `synthetic`, `data_digest`, `recordings`, `errata`, `data_notes`; `questionnaires`,
        each with `name, low, high, cut_off`; `fps`, lowest and highest; `preprocessing`, if any; `parts`:
        counts by split and part.
    """
    table = manifest.table
    names = [str(name) for name in table["scale"].unique() if name] if "scale" in table else []
    scales = [SCALES[name] for name in sorted(names)]
    rates = table["fps"].dropna() if "fps" in table else pd.Series(dtype=float)
    return {
        "data": manifest.name,
        "synthetic": manifest.synthetic,
        "data_digest": manifest.digest(),
        "recordings": len(table),
        "errata": [str(erratum) for erratum in manifest.errata],
        "data_notes": list(manifest.notes),
        "questionnaires": [
            {"name": one.name, "low": one.low, "high": one.high, "cut_off": one.binary_threshold}
            for one in scales
        ],
        "preprocessing": None if manifest.preprocessing is None else manifest.preprocessing.plain(),
        "fps": [float(rates.min()), float(rates.max())] if len(rates) else None,
        "parts": {
            split.name: {part: _counts(table, getattr(split, part)) for part in PARTS} for split in splits
        },
    }


def _counts(table: pd.DataFrame, ids: Sequence[str]) -> dict[str, Any]:
    """Recordings, of whom, visits, positives, mean and spread of the scores, who the known persons are."""
    rows = table[table["recording_id"].isin(set(ids))]
    known = rows[rows["subject_id"] != UNKNOWN]
    counts: dict[str, Any] = {"recordings": len(rows), "persons": int(known["subject_id"].nunique())}
    if unknown := len(rows) - len(known):
        counts["unknown"] = unknown
    counts["visits"] = len(known[["subject_id", "session_id"]].drop_duplicates())
    if "score" in rows and len(scores := rows["score"].dropna()):
        counts["score"] = [float(scores.mean()), float(scores.std()) if len(scores) > 1 else 0.0]
    if "binary" in rows and rows["binary"].notna().any():
        counts["positive"] = int((rows["binary"] == 1).sum())
        counts["labeled"] = int(rows["binary"].notna().sum())
    return counts | _described(known)


def _described(known: pd.DataFrame) -> dict[str, Any]:
    """Lowest and highest age, and persons by sex, site and corpus, where the table has them."""
    found: dict[str, Any] = {}
    if "age" in known and len(ages := known["age"].dropna()):
        found["age"] = [float(ages.min()), float(ages.max())]
    for name in DESCRIBED:
        if name in known and len(rows := known[known[name].notna() & (known[name] != "")]):
            persons = rows.groupby(name)["subject_id"].nunique()
            found[name] = {str(value): int(count) for value, count in persons.items()}
    return found
