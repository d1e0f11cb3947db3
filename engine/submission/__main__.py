"""Tables of challenges: `python -m engine.submission predictions=<csv> manifest=<csv or run> format=...`.

Predictions are those of `train.py`, `eval.py` or `predict.py`; a person's row is the mean over the
recordings, which in AdoDAS are four tasks. The exit status is 1 where no table can be made: a person without
any prediction, or a head that was not trained, is told by name.
"""

import json
import sys
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from datamodules.command_line import run
from datamodules.manifests.manifest import Manifest, ManifestError, read_manifest
from datamodules.sources.shared.draft import SourceError
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.config.targets import ForbiddenTarget, check_targets
from engine.runs.provenance import read_manifest_json
from engine.submission.formats import FORMATS, Facts
from engine.submission.persons import SubmissionError, by_person
from evaluation.report.terminal_summary import block
from evaluation.tables.predictions import PredictionError, read_predictions


def main(
    predictions: Path,
    manifest: Path,
    *,
    format: Literal["adodas_a1", "adodas_a2", "mpdd_avg"],
    out: Path = Path("submission.csv"),
    part: Literal["test", "val", "all"] = "test",
    threshold: float | None = None,
    cuts: tuple[float, ...] = (),
    age_group: Literal["Young", "Elder"] | None = None,
) -> int:
    """Combine predictions by person, write the table and return the exit status.

    Args:
        predictions: A predictions.csv.
        manifest: The table of recordings, or the folder of a run, whose recordings are read again.
        format: The challenge and track.
        out: The table; it is not written over.
        part: Whose persons are in it, by the column split.
        threshold: Of mpdd_avg, from which probability on the label is 1; that of metrics.json by default.
        cuts: Of mpdd_avg, totals from which ternary classes 1 and 2 begin; by default as the labels of
            training and validation show.
        age_group: Of mpdd_avg, whose persons are in the table; all by default.
    """
    try:
        if out.exists():
            raise SubmissionError(f"{out}: is there already; say out=<another file>")
        recordings, chosen = _recordings(manifest), FORMATS[format]
        expected = _of_group(_part(recordings, part), age_group)
        found = by_person(_predictions(predictions), expected, chosen.columns)
        cut = _threshold(predictions) if threshold is None else threshold
        table = chosen.make(found.table, Facts(recordings.table, cut, cuts or None))
    except (
        SubmissionError, PredictionError, ManifestError, SourceError, ConfigError, ForbiddenTarget, OSError,
    ) as fault:  # fmt: skip
        sys.stderr.write(f"{fault}\n")
        return 1
    out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(out, index=False)
    rows = [("persons", str(len(table))), ("table", str(out)), ("note", chosen.note)]
    sys.stdout.write(f"{block(f'{format} is written', [*rows, *(('note', one) for one in found.notes)])}\n")
    return 0


def _recordings(place: Path) -> Manifest:
    """The recordings of a table, or those that the run of a folder read.

    Raises:
        SubmissionError: The folder is none of a run.
    """
    if not place.is_dir():
        return read_manifest(place, probe=False)
    config = read_manifest_json(place).get("config") or {}
    node = (config.get("data") or {}).get("manifest")
    if not node:
        raise SubmissionError(
            f"{place}: no run, as its manifest.json tells no data.manifest; give manifest=<csv>"
        )
    check_targets({"data": {"manifest": node}})
    found: Manifest = build(node, key="data.manifest")
    return found


def _predictions(path: Path) -> pd.DataFrame:
    """Predictions of any command; those of `predict.py` have no targets.

    Raises:
        SubmissionError: No such file, or no table with recordings.
    """
    if not path.is_file():
        raise SubmissionError(f"{path}: no such table; give the predictions.csv of a run")
    header = path.open(encoding="utf-8").readline().strip().split(",")
    if "target" in header:
        return read_predictions(path)
    if "recording_id" not in header:
        raise SubmissionError(f"{path}: no column 'recording_id'; give the predictions.csv of a run")
    names = dict.fromkeys(("recording_id", "subject_id", "session_id"), str)
    return pd.read_csv(path, dtype=names, keep_default_na=False, na_values=[""])


def _part(manifest: Manifest, part: str) -> pd.DataFrame:
    """Rows of a part of the column `split`.

    Raises:
        SubmissionError: It is empty.
    """
    table = manifest.table
    if part == "all":
        return table
    names = {"val": {"val", "dev", "valid", "validation"}}.get(part, {part})
    rows = table[table["split"].str.lower().isin(names)] if "split" in table else table.iloc[:0]
    if rows.empty:
        raise SubmissionError(f"{manifest}: no recording has split={part}; choose another part=, or part=all")
    return rows


def _of_group(rows: pd.DataFrame, age_group: str | None) -> pd.DataFrame:
    """Rows of one age group of MPDD-AVG, by the subject ids that its source writes.

    Raises:
        SubmissionError: Nobody is of it.
    """
    if age_group is None:
        return rows
    own = rows[rows["subject_id"].str.startswith(f"mpdd_avg:{age_group.lower()}_")]
    if own.empty:
        raise SubmissionError(
            f"nobody of the part is of age_group={age_group}, as subjects "
            f"mpdd_avg:{age_group.lower()}_<ID> are; choose the other group or another "
            "part=, or leave age_group out"
        )
    return own


def _threshold(predictions: Path) -> float | None:
    """The threshold of the probability that validation chose, where `metrics.json` lies beside the table."""
    file = predictions.with_name("metrics.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    chosen = found.get("threshold") or {}
    return chosen.get("value") if chosen.get("column") == "binary_prediction" else None


if __name__ == "__main__":
    raise SystemExit(run(main))
