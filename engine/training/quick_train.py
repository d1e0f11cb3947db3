"""Quick training of one split for a study: predictions only, without report, figures and provenance."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from numpy.typing import NDArray

from datamodules.manifests.manifest import Manifest
from datamodules.splits.protocols import Split
from engine.checkpoints.checkpoint import load_checkpoint
from engine.cohort.splits import checked_splits
from engine.config.build import build
from engine.config.compose import ConfigError, plain_config, root_keys
from engine.config.selection import check_run, with_modes
from engine.config.source_code import ROOT
from engine.config.targets import check_targets
from engine.inference.predictions import prediction_trainer
from engine.inference.rebuild import part_of, predict_part, rebuild
from engine.inference.results import recordings_of
from engine.training.fit import fit_split
from engine.training.model import check_model
from engine.training.monitor import check_validation


@dataclass(frozen=True)
class Trial:
    """Predictions and validation metric of one training.

    Attributes:
        manifest: What was split and trained on.
        recordings: Recording table of validation and test, told apart by its column `split`.
        personality: Personality feature of each recording, training recordings included, the mean over its
            clips: `recording_id`, `subject_id`, `split`, `f0`, `f1`, ...; None where the network has none.
        objective: Validation metric of the chosen checkpoint.
        epochs: How many were trained.
    """

    manifest: Manifest
    recordings: pd.DataFrame
    personality: pd.DataFrame | None
    objective: float | None
    epochs: int


def compose_training(overrides: Sequence[str], *, output: Path) -> dict[str, Any]:
    """`conf/train.yaml` with overrides as on the command line, plain and checked, writing to `output`."""
    inside = GlobalHydra.instance().is_initialized()  # a command of ours reads the same folder
    with nullcontext() if inside else initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose("train", overrides=[*overrides, f"paths.output={output}"])
    plain = plain_config(config, keys=root_keys("train"))
    check_targets(plain)
    check_run(plain)
    check_model(plain)
    return with_modes(plain)


def material(config: Mapping[str, Any]) -> tuple[Manifest, Split]:
    """The manifest of a config, made if need be, and its one split, checked by the guard.

    Raises:
        LeakageError: A person or a file is on two sides of the split.
        ConfigError: The protocol has several folds.
    """
    manifest = build(config["data"]["manifest"], key="data.manifest")
    splits = checked_splits(config, manifest)
    if len(splits) != 1:
        raise ConfigError(
            f"a trial trains on one split, the protocol has {len(splits)}: use protocol=holdout"
        )
    check_validation(config, manifest, splits)
    return manifest, splits[0]


def run_trial(config: Mapping[str, Any], *, folder: Path) -> Trial:
    """Train on the split of a config and predict validation and test with the checkpoint validation chose.

    Args:
        config: From `compose_training`.
        folder: Where the checkpoint is kept.
    """
    manifest, split = material(config)
    fitted = fit_split(config, manifest, split, folder=folder)
    task = rebuild(load_checkpoint(fitted.best))
    trainer = prediction_trainer(config)
    tables: list[pd.DataFrame] = []
    features: list[pd.DataFrame] = []
    for part in ("val", "test", "train"):
        if part == "train" and not features:
            break  # predicted for its personality features alone
        clips = predict_part(trainer, task, config, manifest, part_of(split, part))
        if part != "train":
            tables.append(recordings_of(clips.table, manifest, split=part, config=config))
        if clips.personality is not None:
            features.append(_pooled(clips.table, clips.personality).assign(split=part))
    return Trial(
        manifest=manifest,
        recordings=pd.concat(tables, ignore_index=True),
        personality=pd.concat(features, ignore_index=True) if features else None,
        objective=fitted.objective,
        epochs=fitted.epochs,
    )


def _pooled(clips: pd.DataFrame, features: NDArray[np.float32]) -> pd.DataFrame:
    """Mean over the clips of each recording, `f0`, `f1`, ... beside its ids."""
    columns = [f"f{index}" for index in range(features.shape[1])]
    table = pd.DataFrame(features.astype(np.float64), columns=columns)
    ids = ["recording_id", "subject_id"]
    return table.groupby([clips[name].to_numpy() for name in ids]).mean().rename_axis(ids).reset_index()
