"""Training on one split: fit, choose a checkpoint by validation, measure it, and write the results."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from datamodules.manifests.manifest import Manifest
from datamodules.splits.protocols import Split
from engine.checkpoints.atomic_checkpoint_io import WholeCheckpoints
from engine.checkpoints.checkpoint import (
    CheckpointError,
    RunCheckpoint,
    add_calibration,
    load_checkpoint,
    new_record,
)
from engine.checkpoints.seen_data import memory
from engine.config.build import build, build_all
from engine.config.selection import monitored, with_modes
from engine.inference.outputs import write_run
from engine.inference.predictions import ClipPredictions, prediction_trainer
from engine.inference.rebuild import part_of, predict_part, rebuild
from engine.inference.results import Assessment, assess, recordings_of, unmeasured_table
from engine.inspection.filmstrips import filmstrips
from engine.runs.provenance import RunManifest
from engine.runs.ranks import attend, is_main
from engine.runs.seed import seed_run
from engine.training.callbacks import EmbedRun, History, StepSeed
from engine.training.chosen import chosen
from engine.training.lr_finder import FoundRate, find_rate
from engine.training.monitor import FiniteMonitor
from engine.training.resume import set_aside, whole_state
from engine.training.resumption import Resumption, check_states, kept_rate
from engine.training.transfer import start_from
from evaluation.tables.predictions import heads_of


@dataclass(frozen=True)
class Fitted:
    """The checkpoint that validation chose, its metric, and what became of the training.

    `skipped` maps recordings that could not be read to the reason; `initial` is the SHA-256 of the checkpoint
    whose trunk it started from; `rate` what the range test of `find_lr` found; `undefined` the epochs in
    which the metric that chooses was no finite number; `unselected` says why nothing was chosen.
    """

    best: Path
    objective: float | None
    epochs: int
    skipped: dict[str, str]
    initial: str | None = None
    rate: FoundRate | None = None
    undefined: tuple[int, ...] = ()
    unselected: str | None = None


@dataclass(frozen=True)
class Trained:
    """Results of training on one split; `objective` is the chosen checkpoint's validation metric, if any."""

    objective: float | None
    assessment: Assessment


def train_split(
    config: Mapping[str, Any], manifest: Manifest, split: Split, *, folder: Path, record: RunManifest
) -> Trained:
    """Train on one split and leave a complete run in its folder.

    Args:
        config: Resolved config whose paths already point to `folder`.
        manifest: The recordings.
        split: Who trains, selects and tests; checked by the guard before.
        folder: Where checkpoints, tables and report go.
        record: The run's `manifest.json`.
    """
    fitted = fit_split(config, manifest, split, folder=folder)
    if fitted.skipped:
        record.record(skipped=fitted.skipped)
    if fitted.initial:
        record.record(init_from={"path": str(config["init_from"]), "sha256": fitted.initial})
    if fitted.rate:
        record.record(found_lr=fitted.rate.as_dict())
    if fitted.undefined:
        record.record(epochs_without_monitor=list(fitted.undefined))
    if fitted.unselected:
        record.record(unselected=fitted.unselected)
    notes = (fitted.unselected,) if fitted.unselected else ()
    found = _measure(config, manifest, split, fitted.best, folder=folder, record=record, notes=notes)
    return Trained(fitted.objective, found)


def fit_split(config: Mapping[str, Any], manifest: Manifest, split: Split, *, folder: Path) -> Fitted:
    """Train on one split and let validation choose a checkpoint, without the labels of anybody else.

    Whatever trains or selects gets a manifest in which only training and validation recordings are labeled,
    so that neither a callback nor a data module can read what is tested.
    """
    config = with_modes(config)
    seed_run(config["seed"])
    manifest = manifest.without_labels(_outside(manifest, split))
    datamodule = build(config["data"]["module"], key="data.module", manifest=manifest, split=split)
    config = _settled(config, datamodule.channels)
    datamodule.accept_leaks = tuple(config["accept_leaks"])
    statistics = datamodule.train_statistics()
    state, rate = _state(config), None
    if config["find_lr"]:
        rate = _rate(config, manifest, split, state, statistics=statistics, folder=folder)
        config = _with_rate(config, rate.rate)
        # the range test has drawn random numbers: a run that finds its rate starts like one that is given it
        seed_run(config["seed"])
    task = build(config["model"], key="model")
    task.set_statistics(statistics)
    initial = None
    if config["init_from"]:
        initial = start_from(task, config["init_from"], config=config, manifest=manifest, split=split)
    if config["compile"]:
        task.network.compile()
    embedded = new_record(
        config=dict(config) | {"resume": None, "ckpt_path": None},  # what is trained, not how it came about
        statistics=statistics,
        data_digest=manifest.digest(),
        split=asdict(split),
        seen=memory(manifest, split),
    )
    resumption = Resumption(source=None if state is None else state.path, rate=_plain(rate))
    trainer = _trainer(config, embedded, folder, resumption)
    resumed = _resumed(state, embedded, folder)
    if state is not None:
        check_states(trainer.callbacks, Path(str(resumed)), strict=config["ckpt_path"] is None)  # type: ignore[attr-defined]
    with resumption.restoring():
        trainer.fit(task, datamodule=datamodule, ckpt_path=resumed, weights_only=True)
    best, objective, unselected = chosen(trainer, folder, monitor=str(config["selection"]["monitor"]))
    skipped = dict(getattr(datamodule, "skipped", None) or {})
    missing = next(tuple(c.missing) for c in trainer.callbacks if isinstance(c, FiniteMonitor))  # type: ignore[attr-defined]
    return Fitted(
        best,
        objective,
        epochs=trainer.current_epoch,
        skipped=skipped,
        initial=initial,
        rate=rate,
        undefined=missing,
        unselected=unselected,
    )


def _outside(manifest: Manifest, split: Split) -> set[str]:
    """Recordings that neither train nor select: the test part, and those that the split leaves out."""
    return set(manifest.table["recording_id"]) - {*split.train, *split.val}


def _settled(config: Mapping[str, Any], channels: Sequence[str] | None) -> Mapping[str, Any]:
    """The config with the channels by name: what meets the weights must not depend on the order of a file."""
    if channels is None:
        return config
    module = config["data"]["module"]
    module = module | {"source": module["source"] | {"channels": list(channels)}}
    return dict(config) | {"data": config["data"] | {"module": module}}


def _with_rate(config: Mapping[str, Any], rate: float) -> Mapping[str, Any]:
    model = config["model"]
    return dict(config) | {"model": model | {"optimizer": model["optimizer"] | {"lr": rate}}}


def _rate(
    config: Mapping[str, Any],
    manifest: Manifest,
    split: Split,
    state: RunCheckpoint | None,
    *,
    statistics: Any,
    folder: Path,
) -> FoundRate:
    """The rate of the range test; what is resumed goes on with the one that was found then."""
    if state is None:
        return find_rate(config, manifest, split, statistics=statistics, folder=folder)
    if (kept := kept_rate(state.path)) is not None:
        return FoundRate(**kept)
    return FoundRate(rate=float(state.config["model"]["optimizer"]["lr"]), rates=[], losses=[])


def _plain(rate: FoundRate | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    return {
        "rate": float(rate.rate),
        "rates": [float(value) for value in rate.rates],
        "losses": [float(value) for value in rate.losses],
    }


def _trainer(
    config: Mapping[str, Any], embedded: dict[str, Any], folder: Path, resumption: Resumption
) -> pl.Trainer:
    callbacks = build_all(config["callbacks"], key="callbacks")
    selects = any(isinstance(callback, Checkpoint) for callback in callbacks)
    callbacks += [
        *(FiniteMonitor(monitor=name) for name in monitored(config)),  # what selects comes first
        StepSeed(seed=config["seed"]),
        EmbedRun(record=embedded),
        History(path=folder / "history.csv"),
        resumption,
    ]
    trainer: pl.Trainer = build(
        config["trainer"],
        key="trainer",
        callbacks=callbacks,
        logger=build_all(config["logger"], key="logger") or False,
        enable_checkpointing=selects,
        plugins=[WholeCheckpoints()],
    )
    attend(trainer)
    return trainer


def _state(config: Mapping[str, Any]) -> RunCheckpoint | None:
    """The checkpoint to go on from, verified like any other; None for a new run, or one that has none yet."""
    if config["ckpt_path"] is not None:
        return load_checkpoint(config["ckpt_path"])
    return None if config.get("resume") is None else whole_state(Path(config["resume"]))


def _resumed(state: RunCheckpoint | None, embedded: Mapping[str, Any], folder: Path) -> str | None:
    """The file to go on from, of the same data and split.

    Raises:
        CheckpointError: It belongs to another manifest or split: its weights have seen other people.
    """
    if state is None:
        return None
    kept = ("name", "train", "val", "test", "subject_disjoint")
    moved = [name for name in kept if state.split[name] != embedded["split"][name]]
    if moved or state.data_digest != embedded["data_digest"]:
        raise CheckpointError(
            f"{state.path}: was trained on another manifest or split, whose training people may be tested "
            "here. Resume with the data and protocol of its run."
        )
    set_aside(state, folder)
    return str(state.path)


def _measure(
    config: Mapping[str, Any],
    manifest: Manifest,
    split: Split,
    best: Path,
    *,
    folder: Path,
    record: RunManifest,
    notes: Sequence[str] = (),
) -> Assessment:
    """Predict validation and test with what is on disk, not with what is in memory, and write the results."""
    task = rebuild(load_checkpoint(best))
    trainer = prediction_trainer(config)
    clips: dict[str, ClipPredictions] = {}
    tables: dict[str, pd.DataFrame] = {}
    for part in ("val", "test"):
        clips[part] = predict_part(trainer, task, config, manifest, part_of(split, part))
        tables[part] = recordings_of(clips[part].table, manifest, split=part, config=config)
    record.count_look()
    lost = {part: clips[part].unmeasured for part in clips}
    found = assess(
        config,
        manifest,
        split,
        test=tables["test"],
        val=tables["val"],
        calibration=tables["val"],
        unmeasured=unmeasured_table(lost, manifest, heads_of(tables["test"])),
    )
    if is_main():
        columns = [str(name) for name in tables["val"] if str(name).endswith(("_target", "_prediction"))]
        add_calibration(best, {name: tables["val"][name].tolist() for name in columns})
        strips = filmstrips(clips["test"], manifest, config)
        write_run(folder, found, config=config, record=record, attention=strips, notes=notes)
    trainer.strategy.barrier()
    return found
