"""A training run, from a plain config to a folder of results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from datamodules.manifest import Manifest
from engine.build import build
from engine.compose import ConfigError
from engine.crossval import cross_validate
from engine.fit import train_split
from engine.monitor import check_validation
from engine.provenance import RunManifest
from engine.rebuild import without_downloads
from engine.seed import is_main, seed_run
from engine.selection import check_monitors, check_run, with_modes
from engine.splitting import checked_splits, report_split
from engine.targets import check_targets
from evaluation.bootstrap import check_resamples


def train(config: Mapping[str, Any], *, folder: Path) -> float | None:
    """Run the protocol of a config.

    Args:
        config: Resolved config, plain.
        folder: Where everything is written.

    Returns:
        The validation metric of the chosen checkpoint (its mean over folds): what a sweep may search by.

    Raises:
        LeakageError: The split leaks, or something other than validation would select.
        ForbiddenTarget: The config names a callable outside the allow-list.
        ValueError: `evaluation.n_boot` is too small for intervals.
    """
    check_targets(dict(config))
    check_run(config)
    config = with_modes(config)
    check_resamples(config["evaluation"]["n_boot"])
    seed_run(config["seed"])
    with RunManifest(folder=folder, config=config, writes=is_main()) as record:
        check_model(config)
        manifest = build(config["data"]["manifest"], key="data.manifest")
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
        if len(splits) > 1:
            return cross_validate(config, manifest, splits, folder=folder, record=record)
        return train_split(config, manifest, splits[0], folder=folder, record=record).objective


def check_model(config: Mapping[str, Any]) -> None:
    """Build the model without memory: what cannot be built should not wait for a cohort to be made.

    Nor should a checkpoint wait for a value that this model never logs.

    Raises:
        ConfigError: Something monitors a value that is not logged.
        Exception: What the constructor raised, with the key of the config.
    """
    with torch.device("meta"):
        task = build(without_downloads(config["model"]), key="model")
    check_monitors(config, task.logged_names("val"))


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
