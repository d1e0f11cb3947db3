"""The command `eval.py`: evaluate a checkpoint on the split of its own run, or on another manifest."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import cpu_count

from datamodules.manifests.manifest import Manifest, read_manifest
from datamodules.splits.protocols import Split
from engine.checkpoints.checkpoint import CheckpointError, RunCheckpoint, load_checkpoint
from engine.checkpoints.seen_data import BadMemory, met
from engine.cohort.leak_check import audit_leaks
from engine.cohort.restored_data import own_manifest
from engine.cohort.splits import report_split
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.config.targets import check_targets, trusting
from engine.config.value_ranges import check_settings
from engine.inference.outputs import write_run
from engine.inference.predictions import ClipPredictions, prediction_trainer
from engine.inference.rebuild import part_of, predict_part, rebuild
from engine.inference.results import Assessment, assess, recordings_of, unmeasured_table
from engine.inspection.attribution import explain, explained_head
from engine.inspection.audit import Predict, audit
from engine.inspection.filmstrips import filmstrips
from engine.inspection.fitted import check_fitted
from engine.runs.provenance import RunManifest, add_look
from engine.runs.quiet_warnings import quiet
from engine.runs.seed import seed_run
from engine.train import check_scale
from evaluation.tables.predictions import heads_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Material:
    """What is evaluated: recordings, their split, and remarks for the report."""

    manifest: Manifest
    split: Split
    own: bool
    notes: tuple[str, ...]


@trusting
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
        LeakageError: Single facts of another manifest's recordings give their label away. Under `audit`:
            statistics that were not fitted on the training recordings alone.
        ConfigError: Under `attribution`: captum is missing, or the network has no head it can explain.
    """
    quiet()
    checkpoint = load_checkpoint(config["ckpt_path"])
    run = merged(checkpoint, config, folder=folder)
    run["accept_leaks"] = list(config.get("accept_leaks") or ())  # of this command, never of the checkpoint
    check_settings(run)
    seed_run(run["seed"])
    with RunManifest(folder=folder, config=run) as record:
        material = _material(checkpoint, config["manifest"], data=Path(run["paths"]["data"]))
        check_scale(material.manifest, run)
        record.record(
            experiment=run["experiment_name"],
            checkpoint=str(checkpoint.path),
            data=material.manifest.name,
            data_digest=material.manifest.digest(),
            notes=list(material.notes),
        )
        trained = list(checkpoint.config.get("accept_leaks") or ())
        if material.own:
            report_split(material.manifest, material.split, record=record)
            record.record(leaks_on_purpose=trained)
        else:
            record.record(leaks_of_training=trained)
            _audit_leaks(material, run, trained=trained, record=record)
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


def _audit_leaks(
    material: _Material, run: Mapping[str, Any], *, trained: Sequence[str], record: RunManifest
) -> None:
    """What single facts say of the labels of another manifest; leaks pass by this command's word alone."""
    source = build(run["data"]["module"]["source"], key="data.module.source")
    source = source.prepared(material.manifest.recordings())
    if trained:
        _log.warning(
            "this network was trained with accept_leaks=%s; what another manifest leaks takes an "
            "accept_leaks=[...] of this command",
            list(trained),
        )
    accepted = run["accept_leaks"]
    audit_leaks(material.manifest, material.split, source, accepted=accepted, record=record)


_TRAINER = {
    "accelerator": ("auto", "cpu", "gpu", "cuda", "mps", "tpu"),
    "precision": (
        *("64-true", "64", 64, "32-true", "32", 32, "16-true", "16-mixed", "16", 16),
        *("bf16-true", "bf16-mixed", "bf16"),
    ),
    "deterministic": (True, False, None, "warn"),
    "enable_progress_bar": (True, False, None),
}
"""What of a run's trainer changes its numbers or its output on one device; nothing else of it is used."""


def merged(checkpoint: RunCheckpoint, config: Mapping[str, Any], *, folder: Path) -> dict[str, Any]:
    """The run's config with the trainer, paths and workers of this command, and how results are computed.

    Args:
        checkpoint: Of the run.
        config: Resolved config of `conf/eval.yaml` or `conf/predict.yaml`.
        folder: Where this command writes.

    Raises:
        ForbiddenTarget: The trainer given here is not on the allow-list.
        ConfigError: A setting that does not exist.
    """
    run = dict(checkpoint.config)
    run["paths"] = {"data": "data", "output": str(folder), **(config.get("paths") or {})}
    run["trainer"] = config.get("trainer") or _trainer(checkpoint, folder)
    check_targets(run["trainer"])
    module = dict(run["data"]["module"])
    if config.get("num_workers") is not None:
        module["num_workers"] = config["num_workers"]
    elif "num_workers" in module:  # no more processes than this machine has cores for
        module["num_workers"] = min(module["num_workers"], cpu_count())
    if isinstance(video := module["source"].get("video"), Mapping) and "keep" in video:
        module["source"] = module["source"] | {"video": {**video, "keep": 0}}  # every clip is read once
    run["data"] = run["data"] | {"module": module}
    given = config.get("evaluation") or {}
    changes = {name: value for name, value in given.items() if value is not None}
    if strangers := sorted(set(changes) - set(run["evaluation"])):
        raise ConfigError(
            f"evaluation.{strangers[0]}: no such setting; there are {', '.join(run['evaluation'])}"
        )
    run["evaluation"] = run["evaluation"] | changes
    return run


def _trainer(checkpoint: RunCheckpoint, folder: Path) -> dict[str, Any]:
    """A trainer of ours for one device, with the precision and kind of device of the run."""
    node: dict[str, Any] = {
        "_target_": "pytorch_lightning.Trainer",
        "default_root_dir": str(folder),
        "use_distributed_sampler": False,
        "enable_model_summary": False,
    }
    for name, known in _TRAINER.items():
        value = checkpoint.config.get("trainer", {}).get(name)
        if not any(value is one or (value == one and type(value) is type(one)) for one in known):
            raise ConfigError(
                f"{checkpoint.path}: trainer.{name}={value!r:.80} is not taken from a checkpoint; choose a "
                "trainer of your own with trainer=cpu or trainer=gpu"
            )
        if value is not None:
            node[name] = value
    return node


def _material(checkpoint: RunCheckpoint, path: str | None, *, data: Path) -> _Material:
    if path is None:
        return _Material(own_manifest(checkpoint, data=data), _own_split(checkpoint), True, ())
    manifest = read_manifest(path)
    if manifest.digest() == checkpoint.data_digest:
        _log.info("%s: the very recordings of the checkpoint's run, so its own split is evaluated", path)
        return _Material(manifest, _own_split(checkpoint), True, ())
    if not any(name in manifest.table and manifest.table[name].notna().any() for name in ("score", "binary")):
        raise ConfigError(
            f"{manifest.name}: no recording has a label (score, or binary), so there is nothing to measure. "
            f"Predict with python predict.py ckpt_path={checkpoint.path} input={path}"
        )
    ids = tuple(manifest.table["recording_id"])
    split_all = Split(name=manifest.name, train=(), val=(), test=ids)
    return _Material(manifest, split_all, False, _seen(checkpoint, manifest))


def _own_split(checkpoint: RunCheckpoint) -> Split:
    stored = checkpoint.split.items()
    parts: dict[str, Any] = {name: tuple(part) if isinstance(part, list) else part for name, part in stored}
    return Split(**parts)


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
    val, lost = None, {"test": clips.unmeasured}
    if material.own:
        validation = predict(manifest, part_of(split, "val"))
        lost["val"] = validation.unmeasured
        val = recordings_of(validation.table, manifest, split="val", config=run)
    calibration = pd.DataFrame(checkpoint.calibration) if val is None else val
    unmeasured = unmeasured_table(lost, manifest, heads_of(test))
    tables: Any = {"test": test, "val": val, "calibration": calibration, "unmeasured": unmeasured}
    return assess(run, manifest, split, **tables), clips
