"""The command `train.py`: a training run, from a plain config to a folder of results."""

import logging
import os
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from datamodules.manifests.manifest import Manifest
from engine.cohort.leak_check import audit_leaks
from engine.cohort.splits import checked_splits, report_split
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.config.selection import check_run, with_modes
from engine.config.targets import check_targets, trusting
from engine.config.value_ranges import check_settings
from engine.runs.provenance import RunManifest, read_manifest_json
from engine.runs.quiet_warnings import quiet
from engine.runs.ranks import is_main
from engine.runs.seed import seed_run
from engine.training.crossval import cross_validate
from engine.training.fit import train_split
from engine.training.model import check_model
from engine.training.monitor import check_validation
from engine.training.resume import earlier_run

_log = logging.getLogger(__name__)


@trusting
def train(
    config: Mapping[str, Any],
    *,
    folder: Path,
    check_data: Callable[[Mapping[str, Any], str], None] | None = None,
) -> float | None:
    """Run the protocol of a config.

    Args:
        config: Resolved config, plain.
        folder: Where everything is written.
        check_data: Called with `data.manifest` and the digest of what was read, before anything is trained.

    Returns:
        The validation metric of the chosen checkpoint (its mean over folds): what a sweep may search by.

    Raises:
        LeakageError: The split leaks, single facts of the input give the label away, or something other than
            validation would select.
        ForbiddenTarget: The config names a callable outside the allow-list.
        ValueError: `evaluation.n_boot` is too small for intervals.
    """
    quiet()
    check_targets(dict(config))
    check_settings(config)
    check_run(config)
    config = with_modes(config)
    check_devices(config)
    earlier = earlier_run(config, folder)
    if earlier is not None and (done := _finished(earlier, config)) is not None:
        objective: float | None = done["objective"]
        return objective
    seed_run(config["seed"])
    config = dict(config) | {"resume": None if earlier is None else str(earlier)}
    with RunManifest(folder=folder, config=config, writes=is_main(), earlier=earlier) as record:
        check_model(config)
        manifest = build(config["data"]["manifest"], key="data.manifest")
        if check_data is not None:
            check_data(config["data"]["manifest"], manifest.digest())
        check_scale(manifest, config)
        splits = checked_splits(config, manifest)
        check_validation(config, manifest, splits)
        for split in splits:
            report_split(manifest, split, record=record)
        record.record(
            experiment=config["experiment_name"],
            data=manifest.name,
            data_digest=manifest.digest(),
            recordings=len(manifest.table),
            errata=[str(erratum) for erratum in manifest.errata],
            data_notes=list(manifest.notes),
            splits=[split.name for split in splits],
            subject_disjoint=all(split.subject_disjoint for split in splits),
            deterministic=config["trainer"].get("deterministic"),
        )
        source = build(config["data"]["module"]["source"], key="data.module.source")
        source = source.prepared(manifest.recordings())
        audit_leaks(manifest, splits[0], source, accepted=config["accept_leaks"], record=record)
        if len(splits) > 1:
            return cross_validate(config, manifest, splits, folder=folder, record=record)
        objective = train_split(config, manifest, splits[0], folder=folder, record=record).objective
        record.record(objective=objective if objective is None or isfinite(objective) else str(objective))
    return objective


def _finished(earlier: Path, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a run came to that has nothing left to do, and the log says so; else None."""
    content = read_manifest_json(earlier)
    if content.get("status") != "finished":
        return None
    if content.get("config", {}).get("trainer", {}).get("max_epochs") != config["trainer"].get("max_epochs"):
        _log.warning("%s is finished, and goes on to %s epochs", earlier, config["trainer"].get("max_epochs"))
        return None
    _log.warning(
        "%s is finished, under the same config: nothing to do. For a new run give another hydra.run.dir; a "
        "longer one takes a larger trainer.max_epochs.",
        earlier,
    )
    value = content.get("objective")
    if value is None and (known := content.get("objectives")) and None not in known:
        value = fmean(known)
    return {"objective": None if value is None else float(value)}


def check_devices(config: Mapping[str, Any]) -> None:
    """Refuse more processes than this machine has cores: they would wait for each other for ever.

    Raises:
        ConfigError: Names the number of cores.
    """
    trainer = config["trainer"]
    devices = trainer.get("devices")
    if trainer.get("accelerator") not in ("cpu", "auto") or not str(devices).isdigit():
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if trainer.get("accelerator") == "auto" and torch.cuda.is_available():
        return
    if int(devices) > max(2, cores):
        raise ConfigError(
            f"trainer.devices={devices}: each is a process on the CPU, and this machine has {cores} cores. "
            "Use trainer.devices=1; torch uses all cores in one process as well."
        )


def check_scale(manifest: Manifest, config: Mapping[str, Any]) -> None:
    """Stop where the labels are on another scale than the heads are built for.

    Raises:
        ConfigError: Names both scales and the override that fits.
    """
    if "scale" not in manifest.table:
        return
    expected = config["data"]["scale"]["name"]
    strangers = sorted(set(manifest.table["scale"]) - {"", expected})
    if strangers and expected in set(manifest.table["scale"]):
        raise ConfigError(
            f"{manifest.name}: some labels are on {', '.join(strangers)}, the heads expect {expected}, and "
            "points of different questionnaires do not compare. Keep the recordings of one scale, or clear "
            "'score' and 'scale' of the others: their 'binary' still trains."
        )
    if strangers:
        group = strangers[0].lower().replace("-", "_")
        raise ConfigError(
            f"{manifest.name}: labels are on {', '.join(strangers)}, the heads expect {expected}. Train "
            f"with data/scale={group}, or keep the recordings of one scale."
        )
