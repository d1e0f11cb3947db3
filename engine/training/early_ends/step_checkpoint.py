"""A checkpoint in the middle of an epoch, where a cluster says that it will end the job."""

from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch

from engine.checkpoints.atomic_checkpoint_io import STEP
from engine.runs.cluster import job
from engine.runs.signals import check_interrupted, wait_for_step, waits_for_step


class StepCheckpoint(pl.Callback):
    """Writes `step.ckpt` after the step in which the end of a job was announced, and ends the run.

    A run that goes on from it skips the batches that were trained and ends equal to an undisturbed one, its
    history included: the sums of the terms of the objective go along.

    Args:
        folder: Of the checkpoints.
    """

    def __init__(self, *, folder: Path) -> None:
        self._path = folder / STEP
        self._batches, self._saves = 0, False
        self._sums: dict[str, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Skip what was trained before; from now on there is a step to wait for."""
        if self._batches:
            loader: Any = trainer.train_dataloader
            loader.batch_sampler.begin_at(self._batches)
        if self._sums:
            cast(Any, pl_module).means["train"].restore(self._sums, device=pl_module.device)
            self._sums = {}
        wait_for_step(True)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """End where the end of the job is announced.

        Raises:
            Interrupted: The checkpoint is written.
        """
        del pl_module, outputs, batch
        loop = trainer.fit_loop
        # gradients of half a step, and an epoch that is not validated yet, are in no checkpoint
        if loop._should_accumulate() or loop.epoch_loop.batch_progress.is_last_batch:
            return
        if not _announced(trainer):
            return
        self._batches, self._saves = batch_idx + 1, True
        trainer.save_checkpoint(self._path)
        wait_for_step(False)
        check_interrupted(loop.epoch_loop.total_batch_idx + 1)
        raise SystemExit(1)  # announced to another rank, which says so

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """No step will come."""
        del trainer, pl_module
        wait_for_step(False)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """The same."""
        del trainer, pl_module, exception
        wait_for_step(False)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the batches and sums of the epoch so far to the checkpoint of a step, and to no other."""
        if self._saves:
            own: dict[str, Any] = cast(Any, pl_module).means["train"].state()
            sums: list[Any] = [own] * trainer.world_size
            if trainer.world_size > 1:  # a rank adds up its own batches, and the first one writes
                torch.distributed.all_gather_object(sums, own)
            checkpoint["callbacks"][self.state_key] = {"batches": self._batches, "sums": sums}

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take them over."""
        del pl_module
        state = (checkpoint.get("callbacks") or {}).get(self.state_key) or {}
        self._batches, sums = int(state.get("batches", 0)), list(state.get("sums", []))
        if len(sums) == trainer.world_size:
            self._sums = dict(sums[trainer.global_rank])


def _announced(trainer: pl.Trainer) -> bool:
    """Whether any rank was told that its job ends; they ask each other in jobs of a cluster only."""
    if job() is None:
        return False
    asked = waits_for_step()
    return asked if trainer.world_size == 1 else trainer.strategy.reduce_boolean_decision(asked, all=False)
