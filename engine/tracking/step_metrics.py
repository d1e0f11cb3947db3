"""Lightning callback that gives the trackers loss and learning rate of single steps."""

from typing import Any

import pytorch_lightning as pl

from engine.tracking.tracker import Tracker


class StepMetrics(pl.Callback):
    """Logs `train/loss_step` and `lr` every `trainer.log_every_n_steps` steps; epochs are Lightning's.

    The loss is fetched from the device in those steps only: elsewhere nothing waits for it.

    Args:
        trackers: Who is told. Files of the run have epochs alone.
    """

    def __init__(self, *, trackers: list[Tracker]) -> None:
        self._trackers = trackers
        self._rate, self._last = 0.0, -1

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note the rate that this step is taken with, the highest of all parameters."""
        del pl_module, batch, batch_idx
        self._rate = max(group["lr"] for one in trainer.optimizers for group in one.param_groups)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Log a step of the optimizer, if it is its turn."""
        del pl_module, batch, batch_idx
        step = trainer.global_step - 1  # counted from 0, as Lightning does for epochs
        every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]  # it is set by a part of the trainer
        if step == self._last or (step + 1) % every or not trainer.is_global_zero:
            return
        self._last = step
        # Lightning has divided it by the batches that are accumulated
        loss = float(outputs["loss"]) * trainer.accumulate_grad_batches
        for tracker in self._trackers:
            tracker.log_metrics({"train/loss_step": loss, "lr": float(self._rate)}, step=step)
