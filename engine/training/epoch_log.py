"""Lightning callback that logs what a training runs on, and one line an epoch, with or without a terminal."""

import logging
import math
import time
from collections.abc import Mapping, Sequence

import pytorch_lightning as pl

from engine.runs.terminal import duration
from engine.training.callbacks import History

_log = logging.getLogger(__name__)
_LOSSES = ("train/loss", "val/loss")

Row = Mapping[str, float]


class EpochLog(pl.Callback):
    """Logs device, size and length as training begins; then loss, monitored value, the best, and time left.

    Args:
        monitor: What chooses the checkpoint.
        mode: `min` or `max`.
        history: The rows of the epochs, of a resumed run too; it stands before this one among the callbacks.
    """

    def __init__(self, *, monitor: str, mode: str, history: History) -> None:
        self._monitor, self._mode, self._history = monitor, mode, history
        self._parameters, self._first, self._clock = 0, 0, 0.0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Count the parameters before a strategy shards them."""
        del trainer, stage
        self._parameters = sum(weight.numel() for weight in pl_module.parameters() if weight.requires_grad)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log where and how long the training runs."""
        del pl_module
        self._first, self._clock = trainer.current_epoch, time.monotonic()
        if not trainer.is_global_zero:
            return
        _log.info(
            "%d x %s, precision %s: %s parameters to train, %s steps an epoch, epochs %d to %s, "
            "chosen by the %s %s",
            trainer.world_size,
            trainer.strategy.root_device.type,
            trainer.precision,
            f"{self._parameters:,}",
            trainer.num_training_batches,
            self._first + 1,
            _last(trainer),
            {"min": "lowest", "max": "highest"}[self._mode],
            self._monitor,
        )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the line of an epoch, from numbers that `History` has fetched from the device already."""
        del pl_module
        rows = self._history.rows
        if not trainer.is_global_zero or not rows:
            return
        epoch = trainer.current_epoch
        spent = (time.monotonic() - self._clock) / (epoch + 1 - self._first)
        left = None if (last := _last(trainer)) == "?" else spent * (int(last) - epoch - 1)
        _log.info("%s", epoch_line(rows, monitor=self._monitor, mode=self._mode, last=last, left=left))


def _last(trainer: pl.Trainer) -> str:
    """Number of the last epoch, counted from 1, `?` where none is set."""
    return "?" if trainer.max_epochs in (None, -1) else str(trainer.max_epochs)


def epoch_line(rows: Sequence[Row], *, monitor: str, mode: str, last: str, left: float | None) -> str:
    """The line of the last of the rows; epochs count from 1 here as in the report, from 0 in files.

    Args:
        rows: One an epoch, as in `history.csv`.
        monitor: What chooses the checkpoint.
        mode: `min` or `max`.
        last: Number of the last epoch, counted from 1.
        left: Seconds until then, if it is known.
    """
    row = rows[-1]
    names = dict.fromkeys((*_LOSSES, monitor))
    parts = [f"{name} {row[name]:.4f}" for name in names if name in row]
    best = best_epoch(rows, monitor=monitor, mode=mode)
    if best is None:
        parts.append(f"no finite {monitor} so far")
    else:
        parts.append(f"best {monitor} {best[1]:.4f} in epoch {best[0] + 1}")
    if left is not None and left >= 1:
        parts.append(f"at most {duration(left)} left")
    return f"epoch {int(row['epoch']) + 1}/{last}: {', '.join(parts)}"


def best_epoch(rows: Sequence[Row], *, monitor: str, mode: str) -> tuple[int, float] | None:
    """Epoch and value that a `ModelCheckpoint` keeps, the first of equals; None without a finite value."""
    known = {int(row["epoch"]): float(row.get(monitor, math.nan)) for row in rows}
    finite = {epoch: value for epoch, value in known.items() if math.isfinite(value)}
    if not finite:
        return None
    best = (min if mode == "min" else max)(finite, key=finite.__getitem__)
    return best, finite[best]
