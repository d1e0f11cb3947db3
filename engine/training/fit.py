"""Training on one split: fit, let validation choose a checkpoint, measure it, and write the results."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, nan
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint, ModelCheckpoint
from pytorch_lightning.loggers import Logger

from datamodules.clips.workers.desk import deaths_named
from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.checkpoints.atomic_checkpoint_io import WholeCheckpoints
from engine.checkpoints.checkpoint import (
    CheckpointError,
    RunCheckpoint,
    load_checkpoint,
    new_record,
)
from engine.checkpoints.recorded_config import without_downloads
from engine.checkpoints.seen_data import memory
from engine.cohort.data_facts import data_facts
from engine.cohort.pretrained_weights import weights_taken
from engine.config.build import build, build_all
from engine.config.compose import with_value
from engine.config.selection import monitored, reads_test, with_modes
from engine.config.set_widths import with_channel_widths
from engine.config.targets import trusting
from engine.inference.clip_predictions import earlier_scores
from engine.runs.provenance import RunManifest
from engine.runs.ranks import attend
from engine.runs.seed import seed_run
from engine.runs.terminal import with_progress_bar
from engine.tracking.run_tracking import RunTracking, trackers_of
from engine.tracking.step_metrics import StepMetrics
from engine.training.callbacks import EmbedRun, FiniteMonitor, History, StepSeed
from engine.training.early_ends.finite_loss import FiniteLoss
from engine.training.early_ends.step_checkpoint import StepCheckpoint
from engine.training.ema import EMA
from engine.training.epoch_log import EpochLog, best_epoch
from engine.training.lr_finder import FoundRate, find_rate
from engine.training.resuming.earlier_run import check_statistics, set_aside, whole_state
from engine.training.resuming.resume_callback import Resumption, check_states, kept_rate
from engine.training.transfer import start_from
from evaluation.report.terminal_summary import parts_text

_log = logging.getLogger(__name__)
_STORED = (
    "tokens of a store: a clip is one of its windows (%s frames, %s apart, every %s frames), pixels are "
    "gone, and so nothing is augmented"
)


@dataclass(frozen=True)
class Fitted:
    """The checkpoint that validation chose, and what became of the training.

    Attributes:
        best: The checkpoint.
        objective: Its validation metric; None where nothing was chosen.
        epochs: How many were trained.
        facts: What `manifest.json` says of the training, as far as it happened: the epoch that was `chosen`,
            its value, `of` how many and the value of the `last`; how many `warmup_epochs` there were; which
            of two sets of `weights` is evaluated; recordings `skipped` because they could not be read, with
            the reason; the checkpoint that the trunk came from, `init_from`; the weights that others trained,
            `pretrained`; the rate that `find_lr` found, `found_lr`; the epochs in which the metric that
            chooses was no finite number, `epochs_without_monitor`; and why nothing was chosen, `unselected`.
    """

    best: Path
    objective: float | None
    epochs: int
    facts: dict[str, Any]


@trusting
def train_split(
    config: Mapping[str, Any],
    manifest: Manifest,
    split: Split,
    *,
    folder: Path,
    record: RunManifest,
    watching: Sequence[pl.Callback] = (),
) -> float | None:
    """Train on one split and leave a complete run in its folder.

    Args:
        config: Resolved config whose paths already point to `folder`.
        manifest: The recordings.
        split: Who trains, selects and tests; checked by the guard before.
        folder: Where checkpoints, tables and report go.
        record: The run's `manifest.json`.
        watching: Further callbacks, which change nothing in what is trained.

    Returns:
        The chosen checkpoint's validation metric, if any.
    """
    (sizes,) = data_facts(manifest, [split])["parts"].values()
    _log.info("recordings: %s", parts_text(sizes))
    given: Any = {"folder": folder, "record": record}
    with RunTracking(config, record=record) as tracking:
        fitted = fit_split(
            config, manifest, split, folder=folder, loggers=tracking.loggers, watching=watching
        )
        record.record(**fitted.facts)
        # with all that results and report need, which the first step of a training need not wait for
        from engine.training.measure import measure, measure_validation

        if reads_test(config):
            found = measure(
                config, manifest, split, best=fitted.best, unselected=fitted.facts.get("unselected"), **given
            )
            tracking.results(found, checkpoint=fitted.best)
        else:
            measure_validation(config, manifest, split, best=fitted.best, **given)
    value = fitted.objective
    record.record(objective=value if value is None or isfinite(value) else str(value))  # JSON has no infinity
    return value


@trusting
def fit_split(
    config: Mapping[str, Any],
    manifest: Manifest,
    split: Split,
    *,
    folder: Path,
    loggers: Sequence[Logger] = (),
    watching: Sequence[pl.Callback] = (),
) -> Fitted:
    """Train on one split and let validation choose a checkpoint, without the labels of anybody else.

    What the packages in `trust` of the config define may be built, as in the command.

    Args:
        config: Resolved config whose paths already point to `folder`; its `logger` is not read.
        manifest: The recordings.
        split: Who trains, selects and tests.
        folder: Where checkpoints and `history.csv` go.
        loggers: Whom Lightning tells what it logs.
        watching: Further callbacks, which change nothing in what is trained.

    Raises:
        CheckpointError: A checkpoint to go on from or to start from cannot be used here.
        LeakageError: One to start from has met persons who are judged here.
        ForbiddenTarget: The config names a callable outside the allow-list and the packages of its `trust`.
    """
    config = with_modes(config)
    seed_run(config["seed"])
    if manifest.preprocessing is not None and (grid := manifest.preprocessing.settings.get("grid")):
        _log.info(_STORED, *(grid.get(name) for name in ("length", "stride", "hop")))
    told = earlier_scores(manifest, split, of=(*split.train, *split.val))
    # a label that is gone cannot leak, whatever a callback or a data module reads
    manifest = manifest.without_labels(_outside(manifest, split))
    state = _state(config, manifest, split, folder)
    datamodule = build(config["data"]["module"], key="data.module", manifest=manifest, split=split, **told)
    if datamodule.channels is not None:
        # by name: what meets the weights must not depend on the order of a file
        config = with_value(config, "data.module.source.channels", list(datamodule.channels))
        config = with_channel_widths(config, datamodule.channels)
    datamodule.accept_leaks = tuple(config["accept_leaks"])
    statistics, rate = datamodule.train_statistics(), None
    if state is not None:
        check_statistics(state, statistics)
    given: Any
    if config["find_lr"]:
        given = {"statistics": statistics, "folder": folder}
        rate = find_rate(config, manifest, split, **given) if state is None else kept_rate(state)
        config = with_value(config, "model.optimizer.lr", rate.rate)
        # the range test has drawn random numbers: a run that finds its rate starts like one that is given it
        seed_run(config["seed"])
    task, initial = _task(config, manifest, split, statistics, resumes=state is not None)
    _compile(config["compile"], task, datamodule)
    # of a run that goes on, what its weights began with is known to its checkpoint alone
    began = weights_taken(task) if state is None else state.pretrained
    embedded = new_record(
        config=_trained(config),
        statistics=statistics,
        data_digest=manifest.digest(),
        split=_recorded_split(split),
        seen=memory(manifest, split),
        preprocessing=manifest.preprocessing,
        pretrained=began,
    )
    given = {"state": state, "rate": rate, "folder": folder, "loggers": loggers, "watching": watching}
    trainer = _fit(config, task, datamodule, embedded, **given)
    best, objective, unselected = chosen(trainer, folder, monitor=str(config["selection"]["monitor"]))
    missing = next(one.missing for one in trainer.callbacks if isinstance(one, FiniteMonitor))  # type: ignore[attr-defined]
    facts: dict[str, Any] = {
        "chosen": _chosen_epoch(trainer, config),
        "warmup_epochs": task.warmup_epochs,
        "weights": "ema" if any(isinstance(one, EMA) for one in trainer.callbacks) else None,  # type: ignore[attr-defined]
        "skipped": dict(getattr(datamodule, "skipped", None) or {}),
        "init_from": initial,
        "pretrained": began,
        "found_lr": None if rate is None else asdict(rate),
        "epochs_without_monitor": missing,
        "unselected": unselected,
    }
    facts = {name: fact for name, fact in facts.items() if fact}
    return Fitted(best, objective, trainer.current_epoch, facts)


def _chosen_epoch(trainer: pl.Trainer, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Epoch and value of the best checkpoint; None where no epoch was chosen by the monitored value."""
    rows = next(one.rows for one in trainer.callbacks if isinstance(one, History))  # type: ignore[attr-defined]
    selection = config["selection"]
    best = best_epoch(rows, monitor=str(selection["monitor"]), mode=str(selection["mode"]))
    kept = any(isinstance(one, ModelCheckpoint) and one.monitor for one in trainer.checkpoint_callbacks)
    if best is None or not kept:
        return None
    _log.info("chosen: epoch %d, %s %.4f", best[0] + 1, selection["monitor"], best[1])
    monitor = str(selection["monitor"])
    last = float(rows[-1].get(monitor, nan))
    known = {"last": last} if isfinite(last) else {}
    return {"epoch": best[0], "monitor": monitor, "value": best[1], "of": len(rows), **known}


def _trained(config: Mapping[str, Any]) -> dict[str, Any]:
    """What is trained, not how it came about nor whether its test part was read already."""
    evaluation = {name: value for name, value in config["evaluation"].items() if name != "test"}
    return dict(config) | {"resume": None, "ckpt_path": None, "evaluation": evaluation}


def _recorded_split(split: Split) -> dict[str, Any]:
    """The split as a checkpoint keeps it: without what no protocol but one sets."""
    return {name: value for name, value in asdict(split).items() if value is not None}


def _outside(manifest: Manifest, split: Split) -> set[str]:
    """Recordings that neither train nor select: the test part, and those that the split leaves out."""
    return set(manifest.table["recording_id"]) - {*split.train, *split.val}


def _state(config: Mapping[str, Any], manifest: Manifest, split: Split, folder: Path) -> RunCheckpoint | None:
    """The checkpoint to go on from, verified like any other; None for a new run, or one that has none yet.

    Raises:
        CheckpointError: It belongs to another manifest or split: its weights have seen other persons, or
            other pictures of them.
    """
    if config["ckpt_path"] is not None:
        state: RunCheckpoint | None = load_checkpoint(config["ckpt_path"])
    else:
        state = None if config.get("resume") is None else whole_state(Path(config["resume"]))
    if state is None:
        return None
    kept = ("name", "train", "val", "test", "subject_disjoint", "known")
    parts = _recorded_split(split).items()
    now = {name: list(part) if isinstance(part, tuple) else part for name, part in parts}
    if any(state.split.get(name) != now.get(name) for name in kept) or state.data_digest != manifest.digest():
        raise CheckpointError(
            f"{state.path}: was trained on another manifest or split, whose training persons may be tested "
            "here. Resume with the data and protocol of its run."
        )
    was, here = (one and one.fingerprint for one in (state.preprocessing, manifest.preprocessing))
    if was != here:
        raise CheckpointError(
            f"{state.path}: was trained on recordings of another preprocessing (fingerprint {was} there, "
            f"{here} here). Resume with the cache of its run."
        )
    set_aside(state, folder)
    return state


def _task(
    config: Mapping[str, Any],
    manifest: Manifest,
    split: Split,
    statistics: Mapping[str, Any],
    *,
    resumes: bool,
) -> tuple[Any, dict[str, str] | None]:
    """The network before its first step, and the checkpoint that its trunk came from, if any."""
    # a run that goes on takes its weights from its checkpoint, wherever those that it began with are now
    task = build(without_downloads(config["model"]) if resumes else config["model"], key="model")
    task.set_statistics(statistics)
    initial = None
    if source := config["init_from"]:
        digest = start_from(task, source, config=config, manifest=manifest, split=split)
        initial = {"path": str(source), "sha256": digest}
    return task, initial


def _compile(mode: bool | str, task: Any, datamodule: Any) -> None:
    """Compile what a step does on the device: transforms of clips, network and objective.

    Args:
        mode: False leaves them; True, or a mode of `torch.compile`: `reduce-overhead` makes CUDA graphs.
        task: Of the training.
        datamodule: Whose transforms are compiled in the default mode.
    """
    if not mode:
        return
    given = {} if mode is True else {"mode": mode}
    task.network.compile(**given)
    task.objective.compile()
    datamodule.compile()


def _fit(
    config: Mapping[str, Any],
    task: pl.LightningModule,
    datamodule: pl.LightningDataModule,
    embedded: dict[str, Any],
    *,
    state: RunCheckpoint | None,
    rate: FoundRate | None,
    folder: Path,
    loggers: Sequence[Logger],
    watching: Sequence[pl.Callback],
) -> pl.Trainer:
    """Train to the end, from the state of an earlier run if there is one."""
    source = None if state is None else state.path
    resumption = Resumption(source=source, rate=rate)
    trainer = _trainer(config, embedded, folder, [resumption, *watching], loggers)
    if source is not None:
        check_states(trainer.callbacks, source, strict=config["ckpt_path"] is None)  # type: ignore[attr-defined]
    with resumption.restoring(), deaths_named():
        trainer.fit(task, datamodule=datamodule, ckpt_path=source, weights_only=True)
    return trainer


def _trainer(
    config: Mapping[str, Any],
    embedded: dict[str, Any],
    folder: Path,
    last: Sequence[pl.Callback],
    loggers: Sequence[Logger],
) -> pl.Trainer:
    """The trainer of a config with the callbacks that every run has."""
    callbacks = build_all(config["callbacks"], key="callbacks")
    selects = any(isinstance(callback, Checkpoint) for callback in callbacks)
    history, selection = History(path=folder / "history.csv"), config["selection"]
    # Lightning moves the callbacks that save checkpoints behind these, so that what they save holds the state
    # of this epoch; of the monitors the first one watches what selects, which `fit_split` relies on
    callbacks += [
        *(FiniteMonitor(monitor=name) for name in monitored(config)),
        StepSeed(seed=config["seed"]),
        EmbedRun(record=embedded),
        history,
        EpochLog(monitor=str(selection["monitor"]), mode=str(selection["mode"]), history=history),
        *([StepMetrics(trackers=told)] if (told := trackers_of(loggers)) else []),
        *last,
        FiniteLoss(),
        StepCheckpoint(folder=folder / "checkpoints"),
    ]
    trainer: pl.Trainer = build(
        with_progress_bar(config["trainer"]),
        key="trainer",
        callbacks=callbacks,
        logger=list(loggers) or False,
        enable_checkpointing=selects,
        plugins=[WholeCheckpoints()],
    )
    attend(trainer)
    return trainer


def chosen(trainer: pl.Trainer, folder: Path, *, monitor: str) -> tuple[Path, float | None, str | None]:
    """The checkpoint that validation chose, and its metric.

    Where nothing was chosen these are the last weights and None, with a remark for the record and the report.

    Args:
        trainer: After a training.
        folder: Of the run.
        monitor: What the run selects by. A further `ModelCheckpoint` may have kept the best by another value.
    """
    selects = [c for c in trainer.checkpoint_callbacks if isinstance(c, ModelCheckpoint) and c.monitor]
    for callback in sorted(selects, key=lambda one: one.monitor != monitor):
        if callback.best_model_path:
            remark = None
            if callback.monitor != monitor:
                remark = f"The checkpoint is chosen by {callback.monitor}, as none was kept by {monitor}."
                _log.warning("%s", remark)
            score = callback.best_model_score
            return Path(callback.best_model_path), None if score is None else float(score), remark
    best = folder / "checkpoints" / "best.ckpt"
    why = "no callback selects a checkpoint"
    if selects:
        why = (
            f"{selects[0].monitor} chose no checkpoint in {trainer.current_epoch} epochs, for none was "
            "validated and kept (trainer.check_val_every_n_epoch, or every_n_epochs of the callback)"
        )
    remark = f"Not chosen by validation: {why}, so best.ckpt holds the last weights."
    _log.warning("%s: %s", best, remark)
    trainer.save_checkpoint(best)
    trainer.save_checkpoint(best.with_name("last.ckpt"))
    return best, None, remark
