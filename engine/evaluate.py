"""A checkpoint on the split of its own run, number by number, or on any other manifest."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.manifest import Manifest, read_manifest
from datamodules.splits import Split
from engine.assess import Assessment, assess, recordings_of
from engine.attribution import explain, explained_head
from engine.audit import Predict, audit
from engine.build import build
from engine.checkpoint import CheckpointError, RunCheckpoint, load_checkpoint
from engine.compose import ConfigError
from engine.filmstrips import filmstrips
from engine.fitted import check_fitted
from engine.predictions import ClipPredictions, prediction_trainer
from engine.provenance import RunManifest, add_look
from engine.rebuild import part_of, predict_part, rebuild
from engine.run import check_scale
from engine.seed import seed_run
from engine.seen import BadMemory, met
from engine.splitting import report_split
from engine.targets import check_targets
from engine.write import write_run
from evaluation.bootstrap import check_resamples

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Material:
    """What is evaluated: recordings, their split, and remarks for the report."""

    manifest: Manifest
    split: Split
    own: bool
    notes: tuple[str, ...]


def evaluate(config: Mapping[str, Any], *, folder: Path) -> Assessment:
    """Evaluate a checkpoint and write `predictions.csv`, `metrics.json`, `report.html` and `manifest.json`.

    With `audit`, also `audit.json` and `audit.html`, after a look at what the statistics were fitted on. With
    `attribution`, also `attribution.json`, `attribution.html` and `tables/attribution.csv`.

    On the run's own split this repeats what training measured, to the last digit on the same kind of machine.

    Args:
        config: Resolved config of `conf/eval.yaml`.
        folder: Where everything is written; the run's own folder is not touched, but for the count of looks.

    Raises:
        CheckpointError: The checkpoint is altered, or its run's data are not what they were.
        ForbiddenTarget: A config names a callable outside the allow-list.
        LeakageError: Under `audit`: statistics that were not fitted on the training recordings alone.
        ConfigError: Under `attribution`: captum is missing, or the network has no head it can explain.
    """
    checkpoint = load_checkpoint(config["ckpt_path"])
    run = merged(checkpoint, config)
    check_resamples(run["evaluation"]["n_boot"])
    seed_run(run["seed"])
    with RunManifest(folder=folder, config=run) as record:
        material = _material(checkpoint, run, config["manifest"])
        check_scale(material.manifest, run)
        record.record(
            experiment=run["experiment_name"],
            checkpoint=str(checkpoint.path),
            data=material.manifest.name,
            data_digest=material.manifest.digest(),
            notes=list(material.notes),
        )
        if material.own:
            report_split(material.manifest, material.split, record=record)
        looks = add_look(checkpoint.path.parents[1], digest=material.manifest.digest(), own=material.own)
        if looks is None:
            _log.warning("%s: its run cannot be written to, so this look is not counted", checkpoint.path)
        record.record(test_looks=looks)
        task = rebuild(checkpoint)
        if config.get("attribution"):
            explained_head(task)  # refuse before the work, not after it
        predict = partial(predict_part, prediction_trainer(run, one_device=True), task, run)
        found, clips = _measure(checkpoint, run, material, predict)
        strips = filmstrips(clips, material.manifest, run)
        write_run(folder, found, config=run, record=record, attention=strips, notes=material.notes)
        if config.get("audit"):
            if material.own:
                check_fitted(checkpoint, material.manifest)
            parts = (found, clips, material.manifest, material.split)
            audit(*parts, predict=predict, config=run, folder=folder, notes=material.notes)
        if config.get("attribution"):
            tested = part_of(material.split, "test")
            facts: Any = {"config": run, "statistics": checkpoint.statistics, "notes": material.notes}
            explain(task, material.manifest, tested, folder=folder, **facts)
    return found


def merged(checkpoint: RunCheckpoint, config: Mapping[str, Any]) -> dict[str, Any]:
    """The run's config with what this command changes: trainer, workers, and how results are computed.

    Raises:
        ForbiddenTarget: The trainer given here is not on the allow-list.
        ConfigError: An evaluation setting that does not exist.
    """
    run = dict(checkpoint.config)
    if config.get("trainer"):
        check_targets(config["trainer"])
        run["trainer"] = config["trainer"]
    if config.get("num_workers") is not None:
        module = run["data"]["module"] | {"num_workers": config["num_workers"]}
        run["data"] = run["data"] | {"module": module}
    given = config.get("evaluation") or {}
    changes = {name: value for name, value in given.items() if value is not None}
    if strangers := sorted(set(changes) - set(run["evaluation"])):
        raise ConfigError(
            f"evaluation.{strangers[0]}: no such setting; there are {', '.join(run['evaluation'])}"
        )
    run["evaluation"] = run["evaluation"] | changes
    return run


def _material(checkpoint: RunCheckpoint, run: Mapping[str, Any], path: str | None) -> _Material:
    if path is None:
        manifest = build(run["data"]["manifest"], key="data.manifest")
        if manifest.digest() != checkpoint.data_digest:
            raise CheckpointError(
                f"{manifest.name}: not the recordings this checkpoint was trained on (their digest differs), "
                "so its split cannot be repeated. Restore them, or evaluate all of them with manifest=<csv>."
            )
        split: dict[str, Any] = {
            name: tuple(part) if isinstance(part, list) else part for name, part in checkpoint.split.items()
        }
        return _Material(manifest, Split(**split), True, ())
    manifest = read_manifest(path)
    if not any(name in manifest.table and manifest.table[name].notna().any() for name in ("score", "binary")):
        raise ConfigError(
            f"{manifest.name}: no recording has a label (score, or binary), so there is nothing to measure. "
            f"Predict with python predict.py ckpt_path={checkpoint.path} input={path}"
        )
    ids = tuple(manifest.table["recording_id"])
    split_all = Split(name=manifest.name, train=(), val=(), test=ids)
    return _Material(manifest, split_all, False, _seen(checkpoint, manifest))


def _seen(checkpoint: RunCheckpoint, manifest: Manifest) -> tuple[str, ...]:
    """Remarks where another manifest holds ids, persons or contents that trained or selected the network.

    Raises:
        CheckpointError: What the checkpoint remembers cannot be read.
    """
    ids = tuple(manifest.table["recording_id"])
    known = {*checkpoint.split["train"], *checkpoint.split["val"]}
    shared = tuple(name for name in ids if name in known)
    try:
        found = met(checkpoint.seen, manifest, ids)
    except BadMemory as fault:
        raise CheckpointError(
            f"{checkpoint.path}: {fault}. Copy it again from the run that wrote it."
        ) from fault
    said = (
        (shared, "carry ids", "Unless another corpus uses the same ids, this"),
        (found.persons, "show persons, by subject_id,", "Unless they are others of the same ids, this"),
        (found.files, "are files", "This"),
        (found.alike, "hold nearly the content", "This"),
    )
    notes = tuple(
        f"{len(names)} of {len(ids)} recordings {what} that the network was trained or selected on, e.g. "
        f"{', '.join(names[:3])}. {unless} is no test."
        for names, what, unless in said
        if names
    )
    for note in notes:
        _log.warning("%s", note)
    return notes


def _measure(
    checkpoint: RunCheckpoint, run: Mapping[str, Any], material: _Material, predict: Predict
) -> tuple[Assessment, ClipPredictions]:
    manifest, split = material.manifest, material.split
    clips = predict(manifest, part_of(split, "test"))
    test = recordings_of(clips.table, manifest, split="test", config=run)
    val = None
    if material.own:
        validation = predict(manifest, part_of(split, "val"))
        val = recordings_of(validation.table, manifest, split="val", config=run)
    calibration = pd.DataFrame(checkpoint.calibration) if val is None else val
    return assess(run, manifest, split, test=test, val=val, calibration=calibration), clips
