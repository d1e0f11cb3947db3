"""The command `predict.py`: predictions for unlabeled videos (a file, a folder or a manifest) as a table."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.clips.measurement_coverage import Coverage, NothingMeasured
from datamodules.manifests.manifest import Manifest, manifest_from_table, read_manifest
from datamodules.schema import IDS, UNKNOWN
from datamodules.sources.shared.download import is_hidden
from engine.checkpoints.checkpoint import RunCheckpoint
from engine.cohort.network_needs import READS, check_content
from engine.config.compose import ConfigError
from engine.config.targets import trusting
from engine.inference.clip_predictions import Predictor
from engine.inference.recorded_run import recorded_run
from engine.inference.recordings import recordings_of, unmeasured_table
from engine.runs.provenance import RunManifest
from engine.runs.terminal import conclude, made_up, shown
from evaluation.tables.predictions import heads_of, primary_head
from evaluation.uncertainty.prediction_intervals import add_intervals
from evaluation.uncertainty.threshold import choose_threshold

_log = logging.getLogger(__name__)

VIDEOS = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv")
SERIES = (".npz",)
TABLES = (".csv", ".parquet")
_FIRST = (*IDS, "prediction", "low", "high")


@trusting
def predict(config: Mapping[str, Any], *, folder: Path) -> pd.DataFrame:
    """Write `predictions.csv` for videos without labels, and return it.

    Columns: ids, `prediction` of the primary head with its interval `low`, `high`, every head, the
        `decision` at the threshold chosen on validation, and `context_available` where the network uses
        other recordings of the person. A recording that holds no measurement has a row without a prediction,
        with its `valid_share` of frames and the reason in `unmeasured`.

    Args:
        config: Resolved config of `conf/predict.yaml`.
        folder: Where the table goes.

    Raises:
        ConfigError: The input holds nothing to predict.
        CheckpointError: The checkpoint is damaged or altered.
    """
    checkpoint, run = recorded_run(config, folder=folder)
    with RunManifest(folder=folder, config=run) as record:
        manifest = input_manifest(Path(config["input"]), notes=folder, kinds=_kinds(run))
        check_content(manifest, run, trained=True)
        record.record(
            checkpoint=str(checkpoint.path),
            trained_with=checkpoint.config.get("trainer"),
            input=str(config["input"]),
            recordings=len(manifest.table),
            synthetic=manifest.synthetic,
        )
        predict_all = Predictor.of(checkpoint, run, one_device=True)
        _log.info("predicting %d recordings", len(manifest.table))
        try:
            clips = predict_all(manifest, None)
        except NothingMeasured as fault:
            table = _unmeasured(fault.unmeasured, manifest)
        else:
            table = _table(clips.table, manifest, checkpoint, run)
            table = pd.concat([table, _unmeasured(clips.unmeasured, manifest)], ignore_index=True)
        if "decision" in table:
            table["decision"] = table["decision"].astype("Int64")
        table.to_csv(folder / "predictions.csv", index=False)
    conclude(
        "prediction is finished",
        folder,
        rows=_rows(table, folder / "predictions.csv", config=config, checkpoint=checkpoint),
        following=[
            f"python eval.py ckpt_path={shown(checkpoint.path)} manifest=<table with labels>  # to measure it"
        ],
    )
    return table


def _rows(
    table: pd.DataFrame, path: Path, *, config: Mapping[str, Any], checkpoint: RunCheckpoint
) -> list[tuple[str, str]]:
    """What was predicted from what, and where the table lies."""
    known = table["prediction"].notna().sum()
    told = f"{known} of {len(table)} recordings predicted"
    if "decision" in table:
        told += f", {(table['decision'] == 1).sum()} above the threshold that validation chose"
    trained = " (trained on SYNTHETIC persons)" if made_up(checkpoint.config["data"]["manifest"]) else ""
    rows = [("checkpoint", f"{shown(checkpoint.path)}{trained}"), ("input", shown(Path(config["input"])))]
    return [*rows, ("result", told), ("table", shown(path))]


def _kinds(run: Mapping[str, Any]) -> tuple[str, ...]:
    """What the network reads of a folder: a network of pixels leaves series beside its videos alone."""
    source = str(run["data"]["module"]["source"]["_target_"]).rpartition(".")[2]
    return {"video": VIDEOS, "series": SERIES}.get(READS.get(source, ""), (*VIDEOS, *SERIES))


def input_manifest(path: Path, *, notes: Path, kinds: Sequence[str] = (*VIDEOS, *SERIES)) -> Manifest:
    """The manifest that a path stands for: itself, one video, or all videos below a folder but hidden ones.

    Videos without a manifest have unknown persons: each is a person of its own.

    Args:
        path: Video, series, folder or manifest.
        notes: Folder for what is found out about the files; theirs is left as it is.
        kinds: Suffixes of the files that are taken from a folder.

    Raises:
        ConfigError: No such path, or nothing in it that can be read.
    """
    if path.suffix.lower() in TABLES and path.is_file():
        return read_manifest(path)
    root = path if path.is_dir() else path.parent
    found = [path]
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.is_file() and not is_hidden(file, path))
        found = [file for file in found if file.suffix.lower() in kinds]
    files = [file for file in found if file.suffix.lower() in (*VIDEOS, *SERIES)]
    if not files or not files[0].is_file():
        what = (
            "no video" if set(VIDEOS) <= set(kinds) else f"no series ({SERIES[0]}), which this network reads,"
        )
        raise ConfigError(
            f"input={path}: {what} there. Give a video ({', '.join(VIDEOS[:4])}, ...), a series "
            f"({SERIES[0]}), a folder of them, or a manifest (.csv, .parquet)."
        )
    names = [file.relative_to(root).with_suffix("").as_posix() for file in files]
    if len(set(names)) < len(names):  # a.mp4 beside a.mov
        names = [file.relative_to(root).as_posix() for file in files]
    paths = pd.Series([str(file.resolve()) for file in files])
    series = pd.Series([file.suffix.lower() in SERIES for file in files])
    table = pd.DataFrame({"recording_id": names, "subject_id": UNKNOWN, "session_id": names})
    table["path"] = paths.mask(series, "")
    if series.any():
        table["series_path"] = paths.where(series, "")
    return manifest_from_table(table, root=notes, name="input")


def _table(
    clips: pd.DataFrame, manifest: Manifest, checkpoint: RunCheckpoint, run: Mapping[str, Any]
) -> pd.DataFrame:
    table = recordings_of(clips, manifest.table[["recording_id"]], split="input", config=run)
    learned = pd.DataFrame(checkpoint.calibration)
    scale = run["data"]["scale"]
    table = add_intervals(table, learned, low=scale["low"], high=scale["high"])
    threshold = choose_threshold(learned)
    table["prediction"] = table[f"{primary_head(table)}_prediction"]
    if threshold.value is not None and threshold.column in table:
        table["decision"] = (table[threshold.column] >= threshold.value).astype(int)
    if "context_available" in table and not table["context_available"].all():
        _log.warning(
            "%d of %d recordings are predicted without the person's other recordings: there are none, or the "
            "input does not say whose they are. A manifest with subject_id and session_id does.",
            int((~table["context_available"]).sum()),
            len(table),
        )
    heads = [f"{head}_prediction" for head in heads_of(table)]
    columns = [*_FIRST, *heads, "decision", "context_available"]
    return table[[name for name in columns if name in table]]


def _unmeasured(found: Mapping[str, Coverage], manifest: Manifest) -> pd.DataFrame:
    """Rows of recordings in which nothing was measured; a table without columns where there are none."""
    table = unmeasured_table({"input": found}, manifest.table, heads=())
    return table.reindex(columns=[*_FIRST, "valid_share", "unmeasured"]) if len(table) else table
