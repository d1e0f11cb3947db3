"""A checkpoint in the middle of an epoch, where a cluster says that it will end the job."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from engine.checkpoints.atomic_checkpoint_io import STEP
from engine.runs.cluster import job
from engine.runs.signals import check_interrupted, wait_for_step, waits_for_step


class StepCheckpoint(pl.Callback):
    """Writes `step.ckpt` after the step in which the end of a job was announced, and ends the run.

    A run that goes on from it skips the batches that were trained and ends equal to an undisturbed one, its
    history included: the sums that Lightning keeps of an epoch, and in no checkpoint, go along.

    Args:
        folder: Of the checkpoints.
    """

    def __init__(self, *, folder: Path) -> None:
        self._path = folder / STEP
        self._batches, self._saves = 0, False
        self._sums: dict[str, list[float]] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Skip what was trained before; from now on there is a step to wait for."""
        del pl_module
        if self._batches:
            loader: Any = trainer.train_dataloader
            loader.batch_sampler.begin_at(self._batches)
        wait_for_step(True)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Add up with what came before the end of the job, and end where another one is announced.

        Raises:
            Interrupted: The checkpoint is written.
        """
        del pl_module, outputs, batch
        self._add_sums(trainer)
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
        del pl_module
        if self._saves:
            own = {
                name: [float(one.value), int(one.cumulated_batch_size)]
                for name, one in _means(trainer).items()
            }
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

    def _add_sums(self, trainer: pl.Trainer) -> None:
        """After the first step, when Lightning has begun its sums anew."""
        sums, self._sums = self._sums, {}
        for name, one in _means(trainer).items() if sums else ():
            value, size = sums.get(name, (0.0, 0))
            one.value, one.cumulated_batch_size = one.value + value, one.cumulated_batch_size + int(size)


def _means(trainer: pl.Trainer) -> dict[str, Any]:
    """What is averaged over the epoch, by name."""
    results = trainer.fit_loop.epoch_loop._results
    return {name: one for name, one in results.items() if one.meta.on_epoch and one.meta.is_mean_reduction}


def _announced(trainer: pl.Trainer) -> bool:
    """Whether any rank was told that its job ends; they ask each other in jobs of a cluster only."""
    if job() is None:
        return False
    asked = waits_for_step()
    return asked if trainer.world_size == 1 else trainer.strategy.reduce_boolean_decision(asked, all=False)
