"""Callback that stops a training whose loss is no number, before its weights replace a good checkpoint."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from datamodules.commands import typed
from datamodules.wording import first_few

_CONTENT = ("frames", "series", "tokens")


class LossError(ArithmeticError):
    """A loss that is NaN or infinite: in which step, of which recordings, and what to do."""


class FiniteLoss(pl.Callback):
    """Notices the first loss that is NaN or infinite, and names the recordings of its batch.

    On a CPU it stops the step. Elsewhere to look at a loss would make the host wait for the device, so that
    the device remembers the first bad step, and is asked where it is waited for anyway: at the end of an
    epoch, and before any checkpoint is written.
    """

    def __init__(self) -> None:
        self._first: Tensor | None = None  # bad step of this epoch, counted from 0; -1 while there is none
        self._batches: list[list[str]] = []  # recordings of each step of the epoch

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin anew."""
        del trainer
        self._first, self._batches = torch.full((), -1, device=pl_module.device), []

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Look at the loss of a step.

        Raises:
            LossError: It, or one before it, is no number.
        """
        del batch_idx
        loss = outputs["loss"].detach()
        bad = ~torch.isfinite(loss)
        if self._first is None:  # nobody announced the epoch to a callback that came later
            self.on_train_epoch_start(trainer, pl_module)
        assert self._first is not None
        step = torch.full_like(self._first, len(self._batches))
        self._first = torch.where((self._first < 0) & bad, step, self._first)
        self._batches.append(_recordings(batch, look=loss.device.type == "cpu" and bool(bad)))
        if loss.device.type == "cpu" or trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            self._check(trainer)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Refuse to write down weights that a bad loss has changed.

        Raises:
            LossError: There is one.
        """
        del pl_module, checkpoint
        self._check(trainer)

    def _check(self, trainer: pl.Trainer) -> None:
        place = -1 if self._first is None else int(self._first)
        if place < 0:
            return
        step = trainer.fit_loop.epoch_loop.total_batch_idx + 1 - len(self._batches) + place
        before = f", or of the batch before: {first_few(self._batches[place - 1], 8)}" if place else ""
        own = first_few(self._batches[place], 8)
        raise LossError(
            f"the loss of step {step} (epoch {trainer.current_epoch + 1}) is NaN or infinite. Its "
            f"recordings: {own}{before}. The last checkpoint is of the time before. Look at these "
            f"recordings ({typed('validate')} manifest=<table>), use a lower lr=, or "
            "trainer.gradient_clip_val=1.0; trainer.precision=32-true where it was 16-mixed"
        )


def _recordings(batch: Any, *, look: bool) -> list[str]:
    """Recordings of a batch; if `look`, those alone whose content is not finite, where there are any."""
    ids = list(map(str, batch["recording_id"]))
    content = next((batch[name] for name in _CONTENT if name in batch), None)
    if look and content is not None and content.is_floating_point():
        bad = ~torch.isfinite(content).flatten(1).all(1)
        ids = [one for one, odd in zip(ids, bad.tolist(), strict=True) if odd] or ids
    return list(dict.fromkeys(ids))
