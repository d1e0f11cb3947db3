"""From a checkpoint to its network, and from the network to a table of predicted clips."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules import module as registration

from datamodules.clips.measurement_coverage import Coverage
from datamodules.clips.workers.desk import deaths_named
from datamodules.manifests.known_visits import KnownVisits, known_visits
from datamodules.manifests.manifest import Manifest
from datamodules.schema import IDS
from datamodules.split_leakage.history_guard import check_scores
from datamodules.splits.partition import Split
from engine.checkpoints.checkpoint import CheckpointError, RunCheckpoint
from engine.checkpoints.recorded_config import without_downloads
from engine.config.build import build
from engine.runs.ranks import attend
from engine.runs.terminal import with_progress_bar
from evaluation.change.visit_pairs import MOVED, NAMES
from evaluation.tables.predictions import HEADS, KNOWN_VISITS, items_of, scales_of

_SPARE_PARTS = 20_000  # parts a backbone may make and drop again on the way, as timm does: our choice
_SPARE_BYTES = 2**28  # of buffers that are no weights, such as masks and positions: our choice
_FEATURES = ("plain", "relieved", "embedding", "personality_feature")  # in a predicted batch


@dataclass(frozen=True)
class ClipPredictions:
    """Predictions of clips, one row each, in the order of (manifest row, clip).

    Attributes:
        table: `recording_id, subject_id, session_id, row, clip`, the heads, what those of items predict (see
            `evaluation.tables.predictions`), `context_available` where the network has a context, and where
            the split makes visits known, `known_visits`, how many of them were before this one,
            `known_names`, those whose scores are known, and `score_moved`, the
            predicted score if those were a point higher.
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


@dataclass(frozen=True)
class Predictor:
    """The network of a checkpoint, called to predict the test part of a split.

    Attributes:
        task: The network with its weights and statistics, in evaluation mode.
        trainer: Of Lightning, which runs it.
        config: Resolved config of the run; `data.module` reads the clips.
    """

    task: pl.LightningModule
    trainer: pl.Trainer
    config: Mapping[str, Any]

    @classmethod
    def of(cls, checkpoint: RunCheckpoint, config: Mapping[str, Any], *, one_device: bool = False) -> Self:
        """Restore the network of a checkpoint; see `rebuild` and `prediction_trainer`."""
        return cls(rebuild(checkpoint), prediction_trainer(config, one_device=one_device), config)

    @property
    def parameters(self) -> int:
        """How many the network has."""
        return sum(weight.numel() for weight in self.task.parameters())

    def __call__(
        self, manifest: Manifest, part: Split | None, *, history: KnownVisits | None = None
    ) -> ClipPredictions:
        """Predict the test recordings of a split with their context; all recordings where there is no split.

        No label goes along but the scores of earlier visits that the split makes known: what is predicted
        cannot depend on its own label, or on a later one.

        Args:
            manifest: The recordings.
            part: Whose test part is predicted.
            history: The earlier visits, where they are not those of the split.
        """
        return predict_clips(self.trainer, self.task, blind_data(self.config, manifest, part, history))


def blind_data(
    config: Mapping[str, Any], manifest: Manifest, part: Split | None, history: KnownVisits | None = None
) -> pl.LightningDataModule:
    """The data module of a part of a split, without any label but those that `Predictor` names.

    Raises:
        LeakageError: A visit is told with the score of another one, such as the one that is predicted.
    """
    told: dict[str, Any] = {} if history is None else {"history": history}
    if history is None and part is not None:
        told = earlier_scores(manifest, part, of=part.test)
    if told:
        check_scores(manifest, told["history"])  # the data module has no labels to compare with
    node, blind = config["data"]["module"], manifest.without_labels()
    datamodule: pl.LightningDataModule = build(node, key="data.module", manifest=blind, split=part, **told)
    return datamodule


def earlier_scores(manifest: Manifest, split: Split, *, of: Sequence[str]) -> dict[str, KnownVisits]:
    """The further argument of a data module whose split makes visits known; of other splits there is none.

    Args:
        manifest: The recordings, with their scores.
        split: Which visits are known.
        of: Recordings of the persons concerned.
    """
    if split.known is None:
        return {}
    return {"history": known_visits(manifest.table, split.known, of=of)}


def part_of(split: Split, part: str) -> Split:
    """The split with one part only, as test set: what a prediction loader is made for."""
    return replace(split, train=(), val=(), test=getattr(split, part))


def rebuild(checkpoint: RunCheckpoint) -> pl.LightningModule:
    """The task of a checkpoint with its weights and statistics, in evaluation mode.

    Its form is computed without memory first and held against the weights in the file: a config that asks
    for more memory than there is would end the process instead of raising an error.

    Raises:
        CheckpointError: The network of its config is none, or another one than that of its weights.
    """
    model = checkpoint.config["model"]
    with _named(checkpoint), _counted(_SPARE_PARTS + 10 * len(checkpoint.state_dict)):
        task = form(model)
    _check_form(checkpoint, task)
    with _named(checkpoint):
        task = _untrained(model)
    task.load_state_dict(checkpoint.state_dict, strict=True)
    return task.eval()


def form(model: Mapping[str, Any]) -> pl.LightningModule:
    """The task of a `model` node on the meta device: names and shapes, no memory, nothing downloaded.

    It is not made for training: it has no optimizer.
    """
    with torch.device("meta"):
        return _untrained(without_downloads(model))


def _untrained(model: Mapping[str, Any]) -> pl.LightningModule:
    node = {key: value for key, value in model.items() if key not in ("optimizer", "scheduler")}
    task: pl.LightningModule = build(node, key="model", optimizer=None, scheduler=None)
    return task


@contextmanager
def _named(checkpoint: RunCheckpoint) -> Iterator[None]:
    """Name the checkpoint in whatever a constructor raises for settings that make no network."""
    try:
        yield
    except Exception as error:
        raise CheckpointError(
            f"{checkpoint.path}: its config describes no network that can be built "
            f"({type(error).__name__}: {str(error)[:200]}). Use the version that its run was made with, "
            "named in the run's manifest.json, or train anew."
        ) from error


def _check_form(checkpoint: RunCheckpoint, task: pl.LightningModule) -> None:
    wanted, found = (
        {name: f"{tuple(value.shape)} {value.dtype}" for name, value in weights.items()}
        for weights in (task.state_dict(), checkpoint.state_dict)
    )
    if odd := sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name)):
        config, file = (known.get(odd[0], "has none") for known in (wanted, found))
        raise CheckpointError(
            f"{checkpoint.path}: its weights do not belong to the network of its config, {len(odd)} differ, "
            f"first {odd[0]!r}: config {config}, file {file}. Nothing was built. Copy the file again from "
            "its run, or train anew."
        )
    spare = sum(buffer.nbytes for buffer in task.buffers())
    if spare > _SPARE_BYTES + sum(weight.nbytes for weight in checkpoint.state_dict.values()):
        raise CheckpointError(f"{checkpoint.path}: its network asks for {spare} bytes besides its weights.")


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
    trainer: pl.Trainer = build(with_progress_bar(node), key="trainer")
    attend(trainer)
    return trainer


def predict_clips(
    trainer: pl.Trainer, task: pl.LightningModule, datamodule: pl.LightningDataModule
) -> ClipPredictions:
    """Run the datamodule's prediction loader and collect every clip once, on every rank.

    Ranks are padded with repeated batches; a clip that was predicted twice is kept once.
    """
    with deaths_named():
        batches = trainer.predict(task, datamodule=datamodule, return_predictions=True)
    assert batches is not None
    rows = [row for batch in _gathered(batches, trainer.world_size) for row in _rows(batch)]
    unique = {(row["row"], row["clip"]): row for row in reversed(rows)}  # the first of equals stays
    ordered = [unique[key] for key in sorted(unique)]
    further = (*HEADS, "context_available", KNOWN_VISITS, NAMES, MOVED)
    names = [*(name for name in further if name in ordered[0]), *items_of(ordered[0]), *scales_of(ordered[0])]
    columns = [*IDS, "row", "clip", *names]
    return ClipPredictions(
        table=pd.DataFrame(ordered, columns=columns),
        attention=tuple(row["attention"] for row in ordered if "attention" in row),
        features={
            name.removesuffix("_feature"): np.stack([row[name] for row in ordered])
            for name in _FEATURES
            if name in ordered[0]
        },
        unmeasured=dict(getattr(datamodule, "unmeasured", {})),
    )


def _gathered(batches: list[Any], world_size: int) -> list[dict[str, Any]]:
    if world_size == 1:
        return list(batches)
    # all ranks get all clips: each computes the same tables, so that none has to wait for the first one
    parts: list[Any] = [None] * world_size
    torch.distributed.all_gather_object(parts, batches)
    return [batch for part in parts for batch in part]


def _rows(batch: dict[str, Any]) -> list[dict[str, Any]]:
    """One dict a clip; scalars become Python numbers, vectors stay arrays."""
    columns = {
        name: (value.tolist() if value.ndim == 1 else value.numpy()) if isinstance(value, Tensor) else value
        for name, value in batch.items()
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
