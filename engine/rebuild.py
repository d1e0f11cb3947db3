"""A verified checkpoint to a network again, and a part of a manifest to its predictions."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytorch_lightning as pl

from datamodules.manifest import Manifest
from datamodules.splits import Split
from engine.build import build
from engine.checkpoint import RunCheckpoint
from engine.predictions import ClipPredictions, predict_clips


def rebuild(checkpoint: RunCheckpoint) -> pl.LightningModule:
    """The task of a checkpoint with its weights and statistics, in evaluation mode."""
    # the weights are in the file: nothing is downloaded only to be overwritten
    task: pl.LightningModule = build(without_downloads(checkpoint.config["model"]), key="model")
    task.load_state_dict(checkpoint.state_dict, strict=True)
    return task.eval()


def part_of(split: Split, part: str) -> Split:
    """The split with one part only, as test set: what a prediction loader is made for."""
    return replace(split, train=(), val=(), test=getattr(split, part))


def predict_part(
    trainer: pl.Trainer,
    task: pl.LightningModule,
    config: Mapping[str, Any],
    manifest: Manifest,
    part: Split | None,
) -> ClipPredictions:
    """Predict the test recordings of a split, context and all; every recording where there is no split.

    No label goes along: what is predicted cannot depend on one.
    """
    blind = manifest.without_labels()
    datamodule = build(config["data"]["module"], key="data.module", manifest=blind, split=part)
    return predict_clips(trainer, task, datamodule)


def without_downloads(node: Any) -> Any:
    """The config of a model with every `pretrained` switched off: its form without anybody's weights."""
    if isinstance(node, Mapping):
        return {
            key: False if key == "pretrained" else without_downloads(value) for key, value in node.items()
        }
    return [without_downloads(value) for value in node] if isinstance(node, list) else node
