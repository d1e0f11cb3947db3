"""Quick training of one split for a study: predictions only, without report, figures and provenance."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from datamodules.manifests.manifest import Manifest
from datamodules.splits.protocols import Split
from engine.checkpoints.checkpoint import load_checkpoint
from engine.cohort.splits import checked_splits
from engine.config.build import build
from engine.config.compose import TRAIN_KEYS, ConfigError, plain_config
from engine.config.selection import check_run, with_modes
from engine.config.targets import ROOT, check_targets
from engine.inference.clip_predictions import ClipPredictions, Predictor, part_of
from engine.inference.recordings import predicted_recordings, recording_features
from engine.training.checks import check_model, check_validation
from engine.training.fit import fit_split


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
    plain = plain_config(config, keys=TRAIN_KEYS)
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
    predict = Predictor.of(load_checkpoint(fitted.best), config)
    predicted = predicted_recordings(predict, manifest, split, config=config)
    clips, personality = dict(predicted.clips), None
    if "personality" in clips["val"].features:
        clips["train"] = predict(manifest, part_of(split, "train"))  # for this feature alone
        features = [_personality(found).assign(split=part) for part, found in clips.items()]
        personality = pd.concat(features, ignore_index=True)
    recordings = pd.concat(predicted.recordings.values(), ignore_index=True)
    return Trial(manifest, recordings, personality, fitted.objective, fitted.epochs)


def _personality(clips: ClipPredictions) -> pd.DataFrame:
    """Mean over the clips of each recording, `f0`, `f1`, ... beside its ids."""
    ids, features = recording_features(clips)
    table = pd.DataFrame(features["personality"]).add_prefix("f")
    return pd.concat([ids[["recording_id", "subject_id"]], table], axis=1)
