"""Restore a network from a checkpoint and predict one part of a split with it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn.modules import module as registration

from datamodules.manifests.manifest import Manifest
from datamodules.splits.protocols import Split
from engine.checkpoints.checkpoint import CheckpointError, RunCheckpoint
from engine.checkpoints.recorded_config import without_downloads
from engine.config.build import build
from engine.inference.predictions import ClipPredictions, predict_clips

__all__ = ["form", "part_of", "predict_part", "rebuild", "without_downloads"]

_SPARE_PARTS = 20_000  # parts a backbone may make and drop again on the way, as timm does: our choice
_SPARE_BYTES = 2**28  # of buffers that are no weights, such as masks and positions: our choice


def rebuild(checkpoint: RunCheckpoint) -> pl.LightningModule:
    """The task of a checkpoint with its weights and statistics, in evaluation mode.

    Its form is computed without memory first and held against the weights in the file.

    Raises:
        CheckpointError: The network of its config is none, or another one than that of its weights.
    """
    _check_form(checkpoint)
    task = _built(checkpoint)
    task.load_state_dict(checkpoint.state_dict, strict=True)
    return task.eval()


def form(model: Mapping[str, Any]) -> pl.LightningModule:
    """The task of a `model` node on the meta device: names and shapes, no memory, nothing downloaded.

    It is not made for training: it has no optimizer.
    """
    with torch.device("meta"):
        task: pl.LightningModule = build(
            without_downloads({k: v for k, v in model.items() if k not in ("optimizer", "scheduler")}),
            key="model",
            optimizer=None,
            scheduler=None,
        )
    return task


def _built(checkpoint: RunCheckpoint, *, meta: bool = False) -> pl.LightningModule:
    try:
        if meta:
            with _counted(_SPARE_PARTS + 10 * len(checkpoint.state_dict)):
                return form(checkpoint.config["model"])
        node = {k: v for k, v in checkpoint.config["model"].items() if k not in ("optimizer", "scheduler")}
        task: pl.LightningModule = build(node, key="model", optimizer=None, scheduler=None)
        return task
    except Exception as error:  # whatever a constructor raises for settings that make no network
        raise CheckpointError(
            f"{checkpoint.path}: its config describes no network that can be built "
            f"({type(error).__name__}: {str(error)[:200]}). Use the version that its run was made with, "
            "named in the run's manifest.json, or train anew."
        ) from error


def _check_form(checkpoint: RunCheckpoint) -> None:
    task = _built(checkpoint, meta=True)
    wanted = {name: (tuple(value.shape), value.dtype) for name, value in task.state_dict().items()}
    found = {name: (tuple(value.shape), value.dtype) for name, value in checkpoint.state_dict.items()}
    if odd := sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name)):
        raise CheckpointError(
            f"{checkpoint.path}: its weights do not belong to the network of its config, {len(odd)} differ, "
            f"first {odd[0]!r}: config {_shape(wanted, odd[0])}, file {_shape(found, odd[0])}. Nothing was "
            "built. Copy the file again from its run, or train anew."
        )
    spare = sum(buffer.nbytes for buffer in task.buffers())
    if spare > _SPARE_BYTES + sum(weight.nbytes for weight in checkpoint.state_dict.values()):
        raise CheckpointError(f"{checkpoint.path}: its network asks for {spare} bytes besides its weights.")


def _shape(known: Mapping[str, Any], name: str) -> str:
    return "has none" if name not in known else f"{known[name][0]} {known[name][1]}"


@contextmanager
def _counted(most: int) -> Iterator[None]:
    """Stop a constructor that makes more parts than this: without memory they still take time.

    Raises:
        ValueError: There are more.
    """
    left = most

    def count(owner: nn.Module, name: str, part: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise ValueError(f"it has more than {most} parts, far more than weights in the file")

    with ExitStack() as stack:
        for register in (
            registration.register_module_parameter_registration_hook,
            registration.register_module_buffer_registration_hook,
            registration.register_module_module_registration_hook,
        ):
            stack.callback(register(count).remove)
        yield


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
    """Predict the test recordings of a split with their context; all recordings where there is no split.

    No label goes along: what is predicted cannot depend on one.
    """
    blind = manifest.without_labels()
    datamodule = build(config["data"]["module"], key="data.module", manifest=blind, split=part)
    return predict_clips(trainer, task, datamodule)
