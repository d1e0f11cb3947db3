"""Tables of a study: its trials, and what those that have a value predict on validation."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from optuna.trial import TrialState

from engine.config.selection import direction_of
from engine.runs.provenance import read_manifest_json
from engine.sweeping.space import Space
from engine.sweeping.trial_runs import run_places
from engine.sweeping.trials import Row
from evaluation.metrics.catalog import METRICS

_log = logging.getLogger(__name__)
_STATES = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}
_BINARY, _SCORE, _BAND = ((f"{head}_target", f"{head}_prediction") for head in ("binary", "score", "band"))
_RANKED = (_BINARY, (_BINARY[0], _SCORE[1]))  # persons are ranked by their score where no head is binary
_HEADS: dict[str, tuple[tuple[str, str], ...]]
_HEADS = {
    "score": (_SCORE,),
    "band": (_BAND,),
    "item": (),
}  # of the kind of a metric; of the others `_RANKED`
_LOSS = (_SCORE, _BINARY, _BAND)


def trials_table(
    rows: Sequence[Row], *, folder: Path, objectives: Sequence[str], space: Space
) -> pd.DataFrame:
    """One row a trial: number, state, values of validation, settings, and why it has no value.

    What tells how it went on this machine comes last: `restarts` after deaths of its worker, `seconds` of
    the last attempt, and `test_looks`, how often its test part was looked at.
    """
    table = []
    for row in rows:
        finished = row.last.state == TrialState.COMPLETE
        values = row.last.values if finished else [None] * len(objectives)
        places = run_places(folder, row.number, space.seeds)
        took = row.last.duration
        table.append(
            {"trial": row.number, "state": _STATES[row.last.state]}
            | dict(zip(objectives, values, strict=True))
            | {name: row.last.params.get(name) for name in space.dimensions}
            | {"reason": row.reason, "restarts": row.restarts}
            | {"seconds": None if took is None else round(took.total_seconds(), 1)}
            | {"test_looks": sum(int(read_manifest_json(at).get("test_looks", 0)) for _, at in places)}
        )
    return pd.DataFrame(table)


def best_of(rows: Sequence[Row], objectives: Sequence[str]) -> Row | None:
    """The trial with the best value of the first objective, of equal ones the first; None without any."""
    known = [row for row in rows if row.last.state == TrialState.COMPLETE]
    sign = -1.0 if direction_of(objectives[0]) == "maximize" else 1.0
    return min(known, key=lambda row: (sign * row.last.values[0], row.number), default=None)


def validation_table(rows: Sequence[Row], *, folder: Path, metric: str, space: Space) -> pd.DataFrame:
    """What finished trials predict on validation, one row a trial, seed and recording.

    Args:
        rows: The trials.
        folder: Of the sweep.
        metric: The objective, `val/<metric>`, which says of which head; of a loss the first there is.
        space: Says the seeds.

    Returns:
        `trial, seed, subject_id, recording_id, target, prediction`; empty where no table has the head.
    """
    kind = METRICS[name].kind if (name := metric.partition("/")[2]) in METRICS else None
    wanted = _LOSS if kind is None else _HEADS.get(kind, _RANKED)
    found: list[pd.DataFrame] = []
    for row in rows:
        if row.last.state != TrialState.COMPLETE:
            continue
        for seed, place in run_places(folder, row.number, space.seeds):
            if not (tables := _read(place)):
                _log.warning(
                    "%s: has no predictions, so that trial %d is compared with none", place, row.number
                )
            for table in tables:
                pair = next((names for names in wanted if set(names) <= set(table)), None)
                if pair is None:
                    continue
                own: dict[str, Any] = {"trial": row.number, "seed": 0 if seed is None else seed}
                own |= {name: table[name] for name in ("subject_id", "recording_id")}
                own |= {"target": table[pair[0]], "prediction": table[pair[1]]}
                found.append(pd.DataFrame(own))
    columns = ["trial", "seed", "subject_id", "recording_id", "target", "prediction"]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)


def _read(place: Path) -> list[pd.DataFrame]:
    """The measured recordings of validation of a run, or of each of its folds."""
    names = read_manifest_json(place).get("folds") or ["."]
    files = [place / name / "predictions.csv" for name in names]
    tables = [
        pd.read_csv(file, dtype={"subject_id": str, "recording_id": str}) for file in files if file.is_file()
    ]
    kept = [table[table["split"] == "val"] for table in tables]
    return [table[table["unmeasured"].isna()] if "unmeasured" in table else table for table in kept]
