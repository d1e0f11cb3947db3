"""One split: train, choose by validation, measure what was chosen, write it down."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from datamodules.manifest import Manifest
from datamodules.splits import Split
from engine.assess import Assessment, assess, recordings_of
from engine.build import build, build_all
from engine.callbacks import EmbedRun, History, StepSeed
from engine.checkpoint import CheckpointError, add_calibration, load_checkpoint, new_record
from engine.chosen import chosen
from engine.filmstrips import filmstrips
from engine.initial import start_from
from engine.monitor import FiniteMonitor
from engine.predictions import ClipPredictions, prediction_trainer
from engine.provenance import RunManifest
from engine.rate import FoundRate, find_rate
from engine.rebuild import part_of, predict_part, rebuild
from engine.seed import is_main, seed_run
from engine.selection import monitored, with_modes
from engine.write import write_run


@dataclass(frozen=True)
class Fitted:
    """The checkpoint that validation chose, its metric, and what became of the training.

    `skipped` maps recordings that could not be read to the reason; `initial` is the SHA-256 of the checkpoint
    whose trunk it started from; `rate` what the range test of `find_lr` found; `undefined` the epochs in
    which the metric that chooses was no finite number.
    """

    best: Path
    objective: float | None
    epochs: int
    skipped: dict[str, str]
    initial: str | None = None
    rate: FoundRate | None = None
    undefined: tuple[int, ...] = ()


@dataclass(frozen=True)
class Trained:
    """What a split came to; `objective` is the chosen checkpoint's validation metric, if it has one."""

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
    found = _measure(config, manifest, split, fitted.best, folder=folder, record=record)
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
    statistics = datamodule.train_statistics()
    rate = None
    if config["find_lr"] and not config["ckpt_path"]:  # what is resumed goes on with the rate it has
        rate = find_rate(config, manifest, split, statistics=statistics, folder=folder)
        config = _with_rate(config, rate.rate)
        seed_run(config["seed"])
    task = build(config["model"], key="model")
    task.set_statistics(statistics)
    initial = None
    if config["init_from"]:
        initial = start_from(task, config["init_from"], config=config, manifest=manifest, split=split)
    if config["compile"]:
        task.network.compile()
    embedded = new_record(
        config=config, statistics=statistics, data_digest=manifest.digest(), split=asdict(split)
    )
    trainer = _trainer(config, embedded, folder)
    trainer.fit(task, datamodule=datamodule, ckpt_path=_resumed(config, embedded), weights_only=True)
    best, objective = chosen(trainer, folder)
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


def _trainer(config: Mapping[str, Any], embedded: dict[str, Any], folder: Path) -> pl.Trainer:
    callbacks = build_all(config["callbacks"], key="callbacks")
    selects = any(isinstance(callback, Checkpoint) for callback in callbacks)
    callbacks += [
        *(FiniteMonitor(monitor=name) for name in monitored(config)),  # what selects comes first
        StepSeed(seed=config["seed"]),
        EmbedRun(record=embedded),
        History(path=folder / "history.csv"),
    ]
    trainer: pl.Trainer = build(
        config["trainer"],
        key="trainer",
        callbacks=callbacks,
        logger=build_all(config["logger"], key="logger") or False,
        enable_checkpointing=selects,
    )
    return trainer


def _resumed(config: Mapping[str, Any], embedded: Mapping[str, Any]) -> str | None:
    """The checkpoint to go on from, verified like any other, and of the same data and split.

    Raises:
        CheckpointError: It belongs to another manifest or split: its weights have seen other people.
    """
    path = config["ckpt_path"]
    if path is None:
        return None
    earlier = load_checkpoint(path)
    kept = ("name", "train", "val", "test", "subject_disjoint")
    moved = [name for name in kept if earlier.split[name] != embedded["split"][name]]
    if moved or earlier.data_digest != embedded["data_digest"]:
        raise CheckpointError(
            f"{path}: was trained on another manifest or split, whose training people may be tested here. "
            "Resume with the data and protocol of its run."
        )
    return str(path)


def _measure(
    config: Mapping[str, Any],
    manifest: Manifest,
    split: Split,
    best: Path,
    *,
    folder: Path,
    record: RunManifest,
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
    found = assess(config, manifest, split, test=tables["test"], val=tables["val"], calibration=tables["val"])
    if is_main():
        columns = [str(name) for name in tables["val"] if str(name).endswith(("_target", "_prediction"))]
        add_calibration(best, {name: tables["val"][name].tolist() for name in columns})
        strips = filmstrips(clips["test"], manifest, config)
        write_run(folder, found, config=config, record=record, attention=strips)
    trainer.strategy.barrier()
    return found
