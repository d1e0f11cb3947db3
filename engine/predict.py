"""The command `predict.py`: predictions for unlabeled videos (a file, a folder or a manifest) as a table."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from datamodules.clips.measurement_coverage import Coverage, NothingMeasured
from datamodules.commands import typed
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.preprocessing import FILE
from datamodules.manifests.visits import COLUMN
from datamodules.schema import IDS, UNKNOWN
from datamodules.sources.unlabeled import SERIES, TABLES, VIDEOS, input_manifest
from datamodules.wording import first_few
from engine.checkpoints.checkpoint import RunCheckpoint
from engine.cohort.file_checks import check_files
from engine.cohort.network_needs import READS, check_content, check_history, reads_history
from engine.cohort.same_preprocessing import check_preprocessing
from engine.config.compose import ConfigError
from engine.config.targets import trusting
from engine.inference.clip_predictions import Predictor
from engine.inference.cut_faces import CutFaces, cut_faces
from engine.inference.person_changes import changes_of, restored
from engine.inference.recorded_run import recorded_run
from engine.inference.recordings import recordings_of, unmeasured_table
from engine.inference.scored_history import ScoredHistory, check_scored, with_history
from engine.inference.scored_history import told as earlier_told
from engine.runs.provenance import RunManifest
from engine.runs.terminal import conclude, made_up, shown, trust_word
from engine.training.checks import check_scale
from evaluation.change.visit_pairs import NAMES
from evaluation.tables.predictions import KNOWN_VISITS, heads_of, predicted_items, primary_head, scales_of
from evaluation.uncertainty.prediction_intervals import add_intervals
from evaluation.uncertainty.threshold import choose_threshold

_log = logging.getLogger(__name__)

_FIRST = (*IDS, "prediction", "low", "high")
_WITHOUT_OTHERS = (
    "as there are none, or the input does not say whose they are, which a manifest with subject_id and "
    "session_id does"
)
_WITHOUT_HISTORY = (
    "as the history has none of theirs; interval and threshold come from validation visits that had some, "
    "and may not hold for these"
)


@trusting
def predict(config: Mapping[str, Any], *, folder: Path) -> pd.DataFrame:
    """Write `predictions.csv` for videos without labels, and return it.

    Columns: ids, `prediction` of the primary head with its interval `low`, `high`, every head, the
        `decision` at the threshold chosen on validation, `context_available` where the network uses other
        recordings of the person, and `known_visits`, how many earlier visits stood behind the
        prediction, where it reads their scores: they come from the table `history`. A recording that holds no
        measurement has a row without a prediction, with its `valid_share` of frames and the reason in
        `unmeasured`.

    Where persons have visits in a known order and validation taught what noise is, also `changes.csv`, see
    `evaluation.change.change_scores`.

    Raw videos for a network that was trained on a cache of `preprocess.py` are preprocessed first, in the
    same way, to `faces` in the folder; a video that is refused there has its row as well.

    Args:
        config: Resolved config of `conf/predict.yaml`.
        folder: Where the table goes.

    Raises:
        SourceError: The input holds nothing to predict.
        CheckpointError: The checkpoint is damaged or altered.
        ManifestError: A file of the input is not the one that its cache or store made.
        ConfigError: The input was preprocessed in another way than the recordings of the training; or
            `history` is none of scored earlier visits, or the network reads none (see `scored_history`).
        ForbiddenTarget: The checkpoint names a preprocessing that is not on the list.
    """
    checkpoint, run = recorded_run(config, folder=folder)
    with RunManifest(folder=folder, config=run) as record:
        predict_all = Predictor.of(checkpoint, run, one_device=True)
        check_history(predict_all.task, checkpoint.split.get("known"), where=str(checkpoint.path))
        history = _history(config, checkpoint, run, folder=folder, reads=reads_history(predict_all.task))
        given = _input(Path(config["input"]), checkpoint, run, folder=folder)
        faces = _preprocessed(given, checkpoint, config, folder=folder / "faces")
        manifest = given if faces is None else faces.manifest
        if faces is None:
            check_files(given)
        accepted = bool(config.get("accept_preprocessing"))
        notes = faces.notes if faces else check_preprocessing(checkpoint, given, accepted=accepted)
        known = given.preprocessing if manifest is None else manifest.preprocessing
        record.record(
            checkpoint=str(checkpoint.path),
            weights=checkpoint.weights,
            trained_with=checkpoint.config.get("trainer"),
            input=str(config["input"]),
            history=config.get("history"),
            recordings=len(given.table),
            synthetic=given.synthetic,
            preprocessing=None if known is None else known.plain(),
            notes=list(notes),
        )
        table, both = pd.DataFrame(columns=list(_FIRST)), None
        if manifest is not None:
            check_content(manifest, run, trained=True)
            both = None if history is None else with_history(manifest, history)
            _log.info("predicting %d recordings", len(manifest.table))
            table = _predicted(predict_all, manifest, checkpoint, run, both=both)
        if faces is not None and len(faces.refused):
            table = pd.concat([table, faces.refused], ignore_index=True)
        for name in {"decision", KNOWN_VISITS} & set(table):
            table[name] = table[name].astype("Int64")
        changed, told = _changes(table, manifest if both is None else both.manifest, checkpoint)
        table = table.drop(columns=NAMES, errors="ignore")
        table.to_csv(folder / "predictions.csv", index=False)
        if len(changed):
            changed.to_csv(folder / "changes.csv", index=False)
    rows = _rows(table, folder / "predictions.csv", config=config, checkpoint=checkpoint)
    pages = [] if faces is None else [("faces", shown(faces.page))]
    words = [typed("eval"), f"ckpt_path={shown(checkpoint.path)}", *trust_word(config)]
    measured = f"{' '.join(words)} manifest=<table with labels>  # to measure it"
    rows += [("changes", told)] if told else []
    conclude("prediction is finished", folder, rows=[*rows, *pages], following=[measured])
    return table


def _changes(
    table: pd.DataFrame, manifest: Manifest | None, checkpoint: RunCheckpoint
) -> tuple[pd.DataFrame, str]:
    """Changes between visits of the predicted persons, and how many they are or why there are none.

    The manifest holds their known earlier visits as well, if there are some. Where nobody came twice, nothing
    is said.
    """
    if manifest is not None and not _comes_again(manifest):
        return pd.DataFrame(), ""
    if manifest is None or "score_prediction" not in table:
        return pd.DataFrame(), "none: there are no predicted scores"
    predicted = table.dropna(subset=["score_prediction"])
    if COLUMN in manifest.table:
        order = manifest.table[["recording_id", COLUMN]].astype({"recording_id": str})
        predicted = predicted.merge(order, on="recording_id", how="left")
    changed, found = changes_of(predicted, manifest, restored(checkpoint.change))
    if changed.empty:
        return changed, f"none: {found['reason']}"
    return changed, f"{found['changed']} of {len(changed)} beyond noise, in changes.csv"


def _comes_again(manifest: Manifest) -> bool:
    """Whether a known person has two visits."""
    known = manifest.table[manifest.table["subject_id"] != UNKNOWN]
    return bool((known.groupby("subject_id")["session_id"].nunique() > 1).any())


def check_any(table: pd.DataFrame, path: Path) -> None:
    """Let the command fail where it has predicted nothing; its table lists the reasons.

    Args:
        table: What `predict` returned.
        path: Where it lies.

    Raises:
        ConfigError: No recording has a prediction.
    """
    if not table["prediction"].notna().any():
        raise ConfigError(
            f"none of {len(table)} recordings is predicted: {shown(path)} says why, column 'unmeasured'"
        )


def _input(path: Path, checkpoint: RunCheckpoint, run: Mapping[str, Any], *, folder: Path) -> Manifest:
    """The recordings that a path stands for; where faces are cut out first, videos are not looked at yet."""
    if checkpoint.preprocessing is None:
        return input_manifest(path, notes=folder, kinds=_kinds(run))
    return input_manifest(path, notes=folder, kinds=VIDEOS, probe=False)


def _preprocessed(
    given: Manifest, checkpoint: RunCheckpoint, config: Mapping[str, Any], *, folder: Path
) -> CutFaces | None:
    """The faces of raw videos, for a network that was trained on faces; else None."""
    if checkpoint.preprocessing is None or given.preprocessing is not None:
        return None
    accepted = bool(config.get("accept_preprocessing"))
    asked = config.get("num_workers")
    workers = asked if isinstance(asked, int) and asked else None
    return cut_faces(
        checkpoint,
        given,
        folder=folder,
        accepted=accepted,
        workers=workers,
    )


def _history(
    config: Mapping[str, Any],
    checkpoint: RunCheckpoint,
    run: Mapping[str, Any],
    *,
    folder: Path,
    reads: bool,
) -> Manifest | None:
    """The earlier visits that were given, preprocessed as the input is; None where there are none."""
    if not config.get("history"):
        if reads:
            _log.warning(
                "no earlier visit is known: all is predicted without scores, though intervals and threshold "
                "come from validation visits that knew some, and may not hold. history=<table> gives earlier "
                "visits of the persons with their scores"
            )
        return None
    if not reads:
        raise ConfigError(
            f"history={config['history']}: this network reads no scores of earlier visits. Leave it out, and "
            "give these recordings in input= if its context is made of a person's other visits; or train one "
            "with model/context=calibrated protocol=longitudinal protocol.known=1"
        )
    path = Path(config["history"])
    if not (path.is_file() and path.suffix.lower() in TABLES) and not (path / FILE).is_file():
        raise ConfigError(
            f"history={path}: no such table. Give a manifest (.csv, .parquet) with subject_id, session_id, "
            "scale and score"
        )
    given = _input(path, checkpoint, run, folder=folder)
    check_scale(given, run, trained=True)
    check_scored(given)
    faces = _preprocessed(given, checkpoint, config, folder=folder / "faces_of_history")
    if faces is None:
        check_files(given)
        check_preprocessing(checkpoint, given, accepted=bool(config.get("accept_preprocessing")))
        return given
    if len(faces.refused):
        _log.warning(
            "history=%s: cannot be used: %s", path, first_few(faces.refused["recording_id"].tolist())
        )
    return faces.manifest


def _predicted(
    predict_all: Predictor,
    manifest: Manifest,
    checkpoint: RunCheckpoint,
    run: Mapping[str, Any],
    *,
    both: ScoredHistory | None,
) -> pd.DataFrame:
    """Rows of all recordings to predict, predicted or not."""
    try:
        if both is None:
            clips = predict_all(manifest, None)
        else:
            clips = predict_all(both.manifest, both.split, history=both.visits)
    except NothingMeasured as fault:
        return _unmeasured(fault.unmeasured, manifest)
    table = _table(clips.table, manifest, checkpoint, run, task=predict_all.task)
    if both is None and reads_history(predict_all.task):
        table[KNOWN_VISITS], table[NAMES] = 0, [()] * len(table)
    return pd.concat([table, _unmeasured(clips.unmeasured, manifest)], ignore_index=True)


def _rows(
    table: pd.DataFrame, path: Path, *, config: Mapping[str, Any], checkpoint: RunCheckpoint
) -> list[tuple[str, str]]:
    """What was predicted from what, and where the table lies."""
    known = table["prediction"].notna().sum()
    told = f"{known} of {len(table)} recordings predicted"
    if "decision" in table:
        told += f", {(table['decision'] == 1).sum()} above the threshold that validation chose"
    trained = " (trained on SYNTHETIC persons)" if made_up(checkpoint.config["data"]["manifest"]) else ""
    weights = f", weights={checkpoint.weights}" if checkpoint.weights else ""
    rows = [
        ("checkpoint", f"{shown(checkpoint.path)}{trained}{weights}"),
        ("input", shown(Path(config["input"]))),
    ]
    if KNOWN_VISITS in table:
        rows += [("earlier visits", earlier_told(table))]
    return [*rows, ("result", told), ("table", shown(path))]


def _kinds(run: Mapping[str, Any]) -> tuple[str, ...]:
    """What the network reads of a folder: a network of pixels leaves series beside its videos alone."""
    source = str(run["data"]["module"]["source"]["_target_"]).rpartition(".")[2]
    return {"video": VIDEOS, "series": SERIES, "features": ()}.get(READS.get(source, ""), (*VIDEOS, *SERIES))


def _table(
    clips: pd.DataFrame,
    manifest: Manifest,
    checkpoint: RunCheckpoint,
    run: Mapping[str, Any],
    *,
    task: nn.Module,
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
        alone = table.loc[~table["context_available"], "recording_id"].astype(str).tolist()
        _log.warning(
            "%d of %d recordings are predicted without other visits of the person, %s: %s",
            len(alone),
            len(table),
            _WITHOUT_HISTORY if reads_history(task) else _WITHOUT_OTHERS,
            first_few(alone, 5),
        )
    heads = [f"{head}_prediction" for head in (*heads_of(table), *predicted_items(table))]
    heads += scales_of(table.columns)
    columns = [*_FIRST, *heads, "decision", "context_available", KNOWN_VISITS, NAMES]
    return table[[name for name in columns if name in table]]


def _unmeasured(found: Mapping[str, Coverage], manifest: Manifest) -> pd.DataFrame:
    """Rows of recordings in which nothing was measured; a table without columns where there are none."""
    table = unmeasured_table({"input": found}, manifest.table, heads=())
    return table.reindex(columns=[*_FIRST, "valid_share", "unmeasured"]) if len(table) else table
