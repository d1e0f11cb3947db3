"""Numbers of the comparison: AUC of every entry, and its difference to what it has to beat."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.zoo.plan import ENTRIES, OURS, Unit
from benchmarks.zoo.work import PREDICTIONS
from evaluation.uncertainty.table_estimates import estimates, paired_differences

RIVALS = ("depression_branch", "statistics", "coordination")


@dataclass(frozen=True, eq=False)
class Row:
    """An entry or line: its AUC as a mean over seeds with an interval over persons, and what it costs.

    Attributes:
        name: Of the entry, or of the line and its reading.
        auc: Estimate.
        against: Rival -> estimate of the difference in AUC, this minus that.
        costs: Of a network, the chosen rate and means over seeds; empty of lines.
        fit: Of a network, how it fitted 16 recordings, see `benchmarks.zoo.sixteen`; empty of lines.
        source: Where it is published.
    """

    name: str
    auc: Mapping[str, Any]
    against: Mapping[str, Mapping[str, Any]]
    costs: Mapping[str, float]
    fit: Mapping[str, Any]
    source: str


def rows(units: Sequence[Unit]) -> list[Row]:
    """All entries and lines of finished units, the highest AUC first."""
    tables, records = _read(units)
    fitted = _fits(units)
    ours = OURS[units[0].input]
    rivals = [name for name in (ours, *RIVALS) if _strongest(tables, name) is not None]
    found = []
    for name, own in tables.items():
        against = {}
        for rival in rivals:
            other = tables[str(_strongest(tables, rival))]
            if other is not own:
                against[rival] = paired_differences(*_alike(own, other))["auc"]
        known = pd.DataFrame(records.get(name, [])).reindex(columns=_COSTS).mean().dropna()
        costs = {str(cost): float(value) for cost, value in known.items()}
        source = next((one.source for one in ENTRIES[units[0].input] if one.name == name), "")
        auc = estimates(own)["auc"]
        found.append(Row(name, auc, against, costs, fitted.get(name, {}), source))
    return sorted(found, key=lambda row: -float(row.auc["value"] or 0.0))


def unfit(units: Sequence[Unit]) -> dict[str, Mapping[str, Any]]:
    """Entries that were not trained because they do not fit 16 recordings, and what they reached."""
    return {name: found for name, found in _fits(units).items() if not found["fits"]}


_COSTS = ["rate", "parameters_m", "gflops", "ms", "cpu_seconds"]


def _fits(units: Sequence[Unit]) -> dict[str, Mapping[str, Any]]:
    names = ("fits", "auc", "rate", "steps", "seconds")
    found: dict[str, Mapping[str, Any]] = {}
    for unit in units:
        if unit.kind == "fit" and unit.result.is_file():
            record = json.loads(unit.result.read_text(encoding="utf-8"))
            found[unit.entry.name] = {name: record[name] for name in names}
    return found


def _read(units: Sequence[Unit]) -> tuple[dict[str, list[pd.DataFrame]], dict[str, list[dict[str, Any]]]]:
    tables: dict[str, list[pd.DataFrame]] = {}
    records: dict[str, list[dict[str, Any]]] = {}
    cannot = unfit(units)
    for unit in units:
        if unit.kind == "lines":
            for path in sorted(unit.folder.glob("*.csv")):
                tables[path.stem] = [_table(path)]
        if unit.kind not in ("trials", "training") or unit.entry.name in cannot:
            continue
        tables.setdefault(unit.entry.name, []).append(_table(unit.folder / PREDICTIONS))
        record = json.loads(unit.result.read_text(encoding="utf-8"))
        records.setdefault(unit.entry.name, []).append(record)
    return tables, records


def _table(path: Any) -> pd.DataFrame:
    ids = ["recording_id", "subject_id", "session_id"]
    table = pd.read_csv(path, dtype=dict.fromkeys(ids, str))
    return table[[*ids, "binary_target", "binary_prediction"]]


def _strongest(tables: Mapping[str, list[pd.DataFrame]], rival: str) -> str | None:
    """A network by its name; of a family of lines the reading with the highest AUC of the test part."""
    readings = [name for name in tables if name == rival or name.startswith(f"{rival}, ")]
    return max(readings, key=lambda name: float(estimates(tables[name])["auc"]["value"] or 0), default=None)


def _alike(a: list[pd.DataFrame], b: list[pd.DataFrame]) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """As many tables on both sides: a line, which has no seed, stands once for each seed of a network."""
    most = max(len(a), len(b))
    return (a * most if len(a) == 1 else a), (b * most if len(b) == 1 else b)
