"""Predict the clips of a loader into one table, which is the same for any number of ranks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from datamodules.clips.measurement_coverage import Coverage
from datamodules.schema import IDS
from engine.config.build import build
from engine.runs.ranks import attend

_HEADS = ("score", "binary", "band")
_FEATURES = {
    "plain": "plain",
    "relieved": "relieved",
    "embedding": "embedding",
    "personality": "personality_feature",
}  # name here -> name in a predicted batch


@dataclass(frozen=True)
class ClipPredictions:
    """Predictions of clips, one row each, in the order of (manifest row, clip).

    Attributes:
        table: `recording_id, subject_id, session_id, row, clip`, the heads, and `context_available` where the
            network has a context.
        attention: weights of the steps of each clip; empty where the network gives none.
        features: what lies inside the network for each clip, (N,D) each: `plain` depression features before
            RARM, `relieved` of what the context explains, the `embedding` that the heads read, `personality`.
            What a network does not have is absent.
        unmeasured: recordings that were asked for and hold no measurement, hence no clip.
    """

    table: pd.DataFrame
    attention: tuple[NDArray[np.float32], ...]
    features: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    unmeasured: Mapping[str, Coverage] = field(default_factory=dict)

    @property
    def personality(self) -> NDArray[np.float32] | None:
        """Personality feature of each clip (N,D); None where the network has no such branch."""
        return self.features.get("personality")


def prediction_trainer(config: Mapping[str, Any], *, one_device: bool = False) -> pl.Trainer:
    """The run's trainer without what only training needs.

    Args:
        config: Resolved config of the run.
        one_device: Leave the strategy out and use one device; where the run's accelerator does not exist,
            the CPU.
    """
    node = dict(config["trainer"])
    node |= {"logger": False, "enable_checkpointing": False, "callbacks": None, "profiler": None}
    node |= {"max_epochs": None, "inference_mode": True}
    if one_device:
        node |= {"devices": 1, "strategy": "auto", "num_nodes": 1}
        if node.get("accelerator") == "gpu" and not torch.cuda.is_available():
            node |= {"accelerator": "cpu", "precision": "32-true"}
    trainer: pl.Trainer = build(node, key="trainer")
    attend(trainer)
    return trainer


def predict_clips(
    trainer: pl.Trainer, task: pl.LightningModule, datamodule: pl.LightningDataModule
) -> ClipPredictions:
    """Run the datamodule's prediction loader and collect every clip once, on every rank.

    Ranks are padded with repeated batches; a clip that was predicted twice is kept once.
    """
    batches = trainer.predict(task, datamodule=datamodule, return_predictions=True)
    assert batches is not None
    rows = [row for batch in _gathered(batches, trainer.world_size) for row in _rows(batch)]
    unique = {(row["row"], row["clip"]): row for row in reversed(rows)}  # the first of equals stays
    ordered = [unique[key] for key in sorted(unique)]
    columns = [*IDS, "row", "clip", *(name for name in (*_HEADS, "context_available") if name in ordered[0])]
    return ClipPredictions(
        table=pd.DataFrame([{name: row[name] for name in columns} for row in ordered], columns=columns),
        attention=tuple(row["attention"] for row in ordered if "attention" in row),
        features={
            name: np.stack([row[key] for row in ordered])
            for name, key in _FEATURES.items()
            if key in ordered[0]
        },
        unmeasured=dict(getattr(datamodule, "unmeasured", {})),
    )


def _gathered(batches: list[Any], world_size: int) -> list[dict[str, Any]]:
    if world_size == 1:
        return list(batches)
    parts: list[Any] = [None] * world_size
    torch.distributed.all_gather_object(parts, batches)
    return [batch for part in parts for batch in part]


def _rows(batch: dict[str, Any]) -> list[dict[str, Any]]:
    """One dict a clip; scalars become Python numbers, vectors stay arrays."""
    columns = {name: _column(value) for name, value in batch.items()}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _column(value: Any) -> list[Any]:
    if not isinstance(value, Tensor):
        return list(value)
    return list(value.tolist()) if value.ndim == 1 else list(value.numpy())
