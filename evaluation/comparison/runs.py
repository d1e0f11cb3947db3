"""Test predictions of finished runs, read from a run's folder or from a multirun over seeds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.schema import natural_key
from evaluation.tables.pairing import check_paired, some
from evaluation.tables.predictions import HEADS, measured, read_predictions


class RunError(ValueError):
    """A folder that holds no run, or runs that cannot be compared; the message says how they differ."""


@dataclass(frozen=True)
class TestTable:
    """Test predictions of one training, sorted by recording, and the threshold its validation chose."""

    __test__ = False  # pytest would take it for a test

    folder: Path
    recordings: pd.DataFrame
    threshold: float | None


@dataclass(frozen=True)
class Run:
    """A run by its folder as it was given; one table for every training seed, and the first one's record."""

    name: str
    tables: tuple[TestTable, ...]
    record: Mapping[str, Any] = field(default_factory=dict)


def read_run(folder: str | Path) -> Run:
    """Read a run's folder, or the folder of a multirun whose jobs differ in nothing but their seed.

    Raises:
        RunError: No `predictions.csv` there or one level below, one without test recordings, or jobs that
            were tested on different recordings.
    """
    place = Path(folder)
    if (place / "predictions.csv").is_file():
        return Run(str(place), (_read(place),), _record(place))
    jobs = sorted(
        (path.parent for path in place.glob("*/predictions.csv")), key=lambda job: natural_key(job.name)
    )
    if not jobs:
        raise RunError(
            f"{place}: no predictions.csv there or one level below; give the folder of a finished run, or of "
            "a multirun over seeds"
        )
    tables = tuple(_read(job) for job in jobs)
    for table in tables[1:]:
        check_same(tables[0], table)
    return Run(str(place), tables, _record(jobs[0]))


def check_same(a: TestTable, b: TestTable) -> None:
    """Refuse two trainings that were not tested on the same recordings, persons and targets.

    Raises:
        RunError: Names what only one of them has, or where they disagree.
    """
    for column in [f"{head}_target" for head in HEADS]:
        owners = [table.folder for table in (a, b) if column in table.recordings]
        if len(owners) == 1:
            raise RunError(f"only {owners[0]} has '{column}': the runs were tested on other labels")
    try:
        check_paired(a.recordings, b.recordings, names=(a.folder, b.folder))
    except ValueError as error:
        raise RunError(
            f"{error}. Compare runs of one data set and one split (protocol and protocol.seed)."
        ) from error


def _read(folder: Path) -> TestTable:
    path = folder / "predictions.csv"
    table = measured(read_predictions(path))
    test = table[table["split"] == "test"].sort_values("recording_id", ignore_index=True)
    if test.empty:
        raise RunError(f"{path}: no recording of split 'test'; compare runs that were evaluated on test")
    repeated = set(test.loc[test["recording_id"].duplicated(), "recording_id"])
    if repeated:
        raise RunError(f"{path}: {some(repeated)} appear twice; evaluate the run again")
    return TestTable(folder, test, _threshold(folder / "metrics.json"))


def _record(folder: Path) -> dict[str, Any]:
    """Content of a run's `manifest.json`; empty where there is none."""
    path = folder / "manifest.json"
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        raise RunError(f"{path}: is damaged ({error}). Restore it, or delete it.") from error


def _threshold(path: Path) -> float | None:
    """The threshold chosen on validation; without one decisions are not compared."""
    if not path.is_file():
        return None
    try:
        value = (json.loads(path.read_text(encoding="utf-8")).get("threshold") or {}).get("value")
        return None if value is None else float(value)
    except (AttributeError, TypeError, ValueError) as error:
        raise RunError(f"{path}: is damaged ({error}). Evaluate the run again.") from error
