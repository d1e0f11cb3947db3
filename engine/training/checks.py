"""Checks before training: the model, the devices, the scale of the labels, the labels of validation."""

import logging
import os
from collections.abc import Mapping, Sequence
from shutil import which
from typing import Any

import numpy as np
import pandas as pd
import torch
from pytorch_lightning.callbacks import Checkpoint

from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.checkpoints.recorded_config import check_recorded, recorded
from engine.cohort.network_needs import READS, check_history, reads_history
from engine.cohort.pretrained_weights import check_expectations
from engine.config.build import build, build_all
from engine.config.compose import ConfigError
from engine.config.selection import check_monitors, monitored
from engine.config.targets import ForbiddenTarget
from engine.inference.clip_predictions import form
from engine.inference.recordings import targets
from engine.training.ema import EMA
from evaluation.metrics.applicable import measurements
from evaluation.metrics.catalog import METRICS
from evaluation.tables.predictions import HEADS, items_of
from models.fusion.gated import GatedSets
from models.fusion.late import LateFusion
from models.inputs import Input, Levels

_log = logging.getLogger(__name__)
_COMPILERS = (os.environ.get("CXX", "g++"), "clang++", "cl")
_HALF = ("bf16-mixed", "bf16-true", "bf16", "16-mixed", "16-true", "16")
_GIVES = {"video": "frames", "series": "series", "tokens": "tokens", "features": "series"}
_PERSONALITY = {"frames": "appearance or motion", "series": "levels or deltas"}  # of its own trunk
_EXAMPLES = {
    "frames": "experiment=mpdrm",
    "series": "experiment=mpdrm_series",
    "tokens": "model=mpdrm_tokens",
}  # that read what is given


def check_model(config: Mapping[str, Any]) -> None:
    """Build the model without memory, so that a wrong model stops the run before a cohort is made.

    Nor should a checkpoint wait for a value that this model never logs.

    Raises:
        ConfigError: No network is chosen, or one that reads another kind of content than the data have, or
            scores of earlier visits that the protocol does not make known; clips are of another size, length
            or normalization than its weights were trained with; or something monitors a value that is not
            logged.
        WeightsError: Pretrained weights are not there, are damaged, or belong to another network.
        ForbiddenTarget: What it names may not stand in a checkpoint, so its checkpoints could not be read.
        Exception: What the constructor raised, with the key of the config.
    """
    if "_target_" not in config["model"]["network"]:  # model=_task is what all networks share
        raise ConfigError("model.network names no network: choose one, e.g. model=mpdrm or model=baseline")
    task: Any = form(config["model"])
    _check_kind(task, config)
    _check_earlier_visits(task, config)
    check_expectations(task, config)
    check_monitors(config, task.logged_names("val"))
    for name in ("optimizer", "scheduler"):
        build(config["model"].get(name), key=f"model.{name}")
    try:
        check_recorded(recorded(config))
    except ForbiddenTarget as error:
        error.add_note(
            "Mend that value: with it the run's checkpoints could not be read again, so it is not started. "
            "What is below data.manifest. is set as data.cohort.<setting> where the cohort is synthetic."
        )
        raise


def _check_kind(task: Any, config: Mapping[str, Any]) -> None:
    """Hold what the network reads against what the data give, which otherwise the first batch would do."""
    source = config["data"]["module"]["source"]["_target_"].rpartition(".")[2]
    given = _GIVES.get(READS.get(source, ""))
    _check_sets(task, sets=source == "FeatureSetClips")
    for reader in task.network.modules():
        if given is not None and isinstance(reader, Input) and reader.reads != given:
            personality = getattr(task.network, "personality", None)
            own = given in _PERSONALITY and personality is not None and reader is personality.input
            raise ConfigError(
                f"the network reads {reader.reads} ({type(reader).__name__}), the data give {given}: choose "
                + (
                    f"model/personality={_PERSONALITY[given]}, or shared"
                    if own
                    else "a data= and a model= (or model/trunk=) of the same kind, pixels or series, e.g. "
                    + _EXAMPLES[given]
                )
            )


def _check_sets(task: Any, *, sets: bool) -> None:
    """Hold whether the data are feature sets against whether the network knows their widths."""
    levels = [part for part in task.network.modules() if isinstance(part, Levels)]
    one_each = isinstance(task.network, LateFusion)
    if sets and not one_each and not all(part.of_sets for part in levels):
        raise ConfigError(
            "the data are feature sets, and the network reads a series without sets: choose "
            "model/fusion=early, gated or late, which fit all networks of series"
        )
    if not sets and (one_each or any(part.of_sets for part in levels)):
        raise ConfigError("model/fusion is for feature sets: choose data=feature_sets, or model/fusion=none")
    personality = getattr(task.network, "personality", None)
    gated = any(isinstance(part, GatedSets) for part in task.network.modules())
    if gated and getattr(personality, "trunk", None) is not None:
        raise ConfigError("model/fusion=gated takes model/personality=shared or none")


def _check_earlier_visits(task: Any, config: Mapping[str, Any]) -> None:
    """Refuse a network that reads scores of earlier visits where no batch could hold any."""
    if not reads_history(task):
        return
    protocol = build(config["protocol"], key="protocol")
    check_history(task, getattr(protocol, "known", None), where=f"protocol {type(protocol).__name__}")
    if (visits := config["data"]["module"].get("visits", 2)) < 2:
        raise ConfigError(
            f"data.module.visits={visits}: this network learns from a person's earlier visits, and no "
            "training batch would hold one. Use data.module.visits=2 or more, best as many as a person has"
        )


def check_trainer(config: Mapping[str, Any]) -> None:
    """Build trainer, callbacks and loggers once, so that a wrong one stops the run before a cohort is made.

    Raises:
        ConfigError: This machine has no compiler, or the range test of the learning rate or an average of the
            weights cannot run on this trainer.
        Exception: What a constructor raised, with the key of the config.
    """
    trainer = config["trainer"]
    if config["find_lr"] and trainer.get("devices") not in (1, "1"):
        raise ConfigError("find_lr=true takes one device: find the rate with trainer=gpu, then train with it")
    if config["compile"] and _on_cpu(trainer) and not any(map(which, _COMPILERS)):
        raise ConfigError(
            "compile=true: torch compiles for the CPU with a C++ compiler, and none is here. Install g++, or "
            "leave compile out"
        )
    callbacks = build_all(config["callbacks"], key="callbacks")
    if any(isinstance(one, EMA) for one in callbacks) and _is_sharded(trainer):
        raise ConfigError(
            "callbacks.ema with trainer=fsdp: each rank holds a part of the weights, and the average would "
            "be of that part. Use trainer=ddp, or callbacks/ema=none"
        )
    told = logging.getLogger("pytorch_lightning.utilities.rank_zero")
    told.disabled, before = True, told.disabled  # the trainer that trains says the same
    try:
        loggers = build_all(config["logger"], key="logger")
        selects = any(isinstance(callback, Checkpoint) for callback in callbacks)
        given: Any = {"callbacks": callbacks, "logger": loggers or False, "enable_checkpointing": selects}
        build(trainer, key="trainer", **given)
    finally:
        told.disabled = before
    if _on_cpu(trainer) and str(trainer.get("precision")) in _HALF:
        _log.warning(
            "trainer.precision=%s on a CPU is slower than trainer.precision=32-true", trainer["precision"]
        )


def _is_sharded(trainer: Mapping[str, Any]) -> bool:
    """Whether a strategy deals the weights out to the ranks, as FSDP and DeepSpeed do."""
    strategy = trainer.get("strategy") or "auto"
    name = str(strategy.get("_target_") if isinstance(strategy, Mapping) else strategy).lower()
    return any(kind in name for kind in ("fsdp", "deepspeed", "modelparallel", "sharded"))


def check_devices(trainer: Mapping[str, Any]) -> None:
    """Refuse a device that is not here, and more processes than cores, which would wait for each other.

    Raises:
        ConfigError: Names what this machine has.
    """
    kind, devices = trainer.get("accelerator"), str(trainer.get("devices"))
    gpus = torch.cuda.device_count()
    if kind in ("gpu", "cuda") and not gpus and not torch.backends.mps.is_available():
        raise ConfigError(f"trainer.accelerator={kind}: no GPU here: trainer=cpu, or see make doctor")
    if kind in ("gpu", "cuda") and gpus and devices.isdigit() and int(devices) > gpus:
        raise ConfigError(f"trainer.devices={devices}: this machine has {gpus} GPUs")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if _on_cpu(trainer) and devices.isdigit() and int(devices) > max(2, cores):
        raise ConfigError(
            f"trainer.devices={devices}: each is a process on the CPU, and this machine has {cores} cores. "
            "Use trainer.devices=1; torch uses all cores in one process as well."
        )


def _on_cpu(trainer: Mapping[str, Any]) -> bool:
    kind = trainer.get("accelerator", "auto")
    return kind == "cpu" or (kind == "auto" and not torch.cuda.is_available())


def check_batches(config: Mapping[str, Any]) -> None:
    """Refuse a batch in which the contrast finds no positive, and remark on clips of two lengths.

    Raises:
        ConfigError: Names the size and the smallest that has positives.
    """
    module = config["data"]["module"]
    objective = config["model"].get("objective") or {}
    contrast = (objective.get("contrast") if objective.get("contrast_weight") else None) or {}
    per_visit = contrast.get("positives") == "same_visit"
    name = "clips" if per_visit else "visits"
    if contrast and module.get("subjects") == 1:
        _log.warning(
            "data.module.subjects=1: no batch holds another person, from whom the contrast tells apart"
        )
    if contrast.get("_target_", "").endswith(".SupCon") and module.get(name) == 1:
        what = "another clip of the same visit" if per_visit else "another visit of the same person"
        raise ConfigError(
            f"data.module.{name}=1: the contrast learns from {what}, and no batch holds one. Use "
            f"data.module.{name}=2 or more, or train without it: model/contrast=none"
        )
    lengths = {key: (module.get(key) or {}).get("length") for key in ("train_clips", "eval_clips")}
    if None not in lengths.values() and len(set(lengths.values())) > 1:
        _log.warning(
            "data.module.train_clips.length=%s, but data.module.eval_clips.length=%s: it is measured on "
            "clips of another length than it learns from",
            *lengths.values(),
        )


def check_scale(manifest: Manifest, config: Mapping[str, Any], *, trained: bool = False) -> None:
    """Stop where the labels are on another scale than the heads are built for.

    Args:
        manifest: The recordings.
        config: Of the run.
        trained: Whether the network is there already, and its scale cannot be another one.

    Raises:
        ConfigError: Names both scales and the override that fits.
    """
    if "scale" not in manifest.table:
        return
    expected = config["data"]["scale"]["name"]
    strangers = sorted(set(manifest.table["scale"]) - {"", expected})
    if strangers and trained:
        raise ConfigError(
            f"{manifest}: scores are on {', '.join(strangers)}, and this network was trained on {expected}: "
            "it reads and predicts no other points. Clear 'scale' and 'score' of these rows, or give totals "
            f"of the {expected}."
        )
    if strangers and expected in set(manifest.table["scale"]):
        raise ConfigError(
            f"{manifest}: some labels are on {', '.join(strangers)}, the heads expect {expected}, and "
            "points of different questionnaires do not compare. Keep the recordings of one scale, or clear "
            "'score' and 'scale' of the others: their 'binary' still trains."
        )
    if strangers:
        group = strangers[0].lower().replace("-", "_")
        raise ConfigError(
            f"{manifest}: labels are on {', '.join(strangers)}, the heads expect {expected}. Train "
            f"with data/scale={group}, or keep the recordings of one scale."
        )


def check_validation(config: Mapping[str, Any], manifest: Manifest, splits: Sequence[Split]) -> None:
    """Stop, before training, where the labels of a validation part leave a monitored value undefined.

    One class has no AUC and equal scores have no correlation, whatever is predicted; a loss over no label is
    0 in every epoch.

    Raises:
        ConfigError: Names the split, the value, the reason and what else could choose.
    """
    table = targets(manifest)
    heads = config["model"].get("network", {}).get("heads") or {}
    choices = [*(["val/mae"] if heads.get("score") is not None else []), "val/loss"]
    for split in splits:
        rows = table[table["recording_id"].isin(set(split.val))]
        for monitor in monitored(config):
            if reason := undefined(monitor, rows):
                others = [name for name in choices if not undefined(name, rows)]
                advice = " or ".join(f"selection.monitor={name}" for name in others) or "labels for it"
                raise ConfigError(
                    f"split '{split.name}': {monitor} is undefined on the {len(rows)} validation recordings: "
                    f"{reason}. Nothing could be chosen by it; use {advice}, or another split"
                )


def undefined(monitor: str, rows: pd.DataFrame) -> str | None:
    """Why no prediction whatever can give a monitored value on these recordings, or None.

    Args:
        monitor: Name after `val/`: a metric, `loss` or the loss of a head; of others nothing is known.
        rows: Manifest rows of the validation part with `score`, `binary`, `band` where known.
    """
    name = monitor.partition("/")[2]
    labeled = [head for head in HEADS if head in rows and rows[head].notna().any()]
    if name not in METRICS:
        needed = {"loss": labeled, **{head: [head] if head in labeled else [] for head in HEADS}}
        return None if needed.get(name, [name]) else "none of them has a label that it needs"
    ramp = np.linspace(0.0, 1.0, len(rows))  # all differ: what is undefined lies in the labels
    table = pd.DataFrame(
        {f"{head}_target": rows[head].to_numpy(np.float64, na_value=np.nan) for head in labeled}
    ).assign(**{f"{head}_prediction": ramp for head in labeled})
    table = table.join(_answers(rows, ramp))
    values = {m.name: m.value() for m in measurements(table, threshold=None)}
    return values[name].reason if name in values else "none of them has a label that it needs"


def _answers(rows: pd.DataFrame, ramp: np.ndarray) -> pd.DataFrame:
    """Targets and predictions of the items that manifest rows answer."""
    found = {name: rows[name].to_numpy(np.float64, na_value=np.nan) for name in items_of(rows.columns)}
    answered = {name: answers for name, answers in found.items() if not np.isnan(answers).all()}
    targets = {f"{name}_target": answers for name, answers in answered.items()}
    return pd.DataFrame(targets | {f"{name}_prediction": ramp for name in answered})
