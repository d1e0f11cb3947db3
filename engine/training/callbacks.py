"""Lightning callbacks of this project: seeds of steps, record in checkpoints, history of epochs."""

import csv
import io
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

from engine.checkpoints.checkpoint import KEY, seal
from engine.runs.atomic_write import put
from engine.runs.seed import seed_step
from engine.runs.signals import check_interrupted


class StepSeed(pl.Callback):
    """Seeds torch before every training step from (seed, step, rank).

    Dropout and device-side augmentation then depend on nothing that came before, and a resumed run repeats
    the uninterrupted one to the last bit. Per step rather than per epoch: a loader that is created before the
    first epoch and not before the others draws from the same generator, which would shift an epoch's numbers
    after a resume.

    Args:
        seed: The run's seed.
    """

    def __init__(self, *, seed: int) -> None:
        self._seed = seed

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed the step that is about to run."""
        del pl_module, batch
        # counted in batches, not optimizer steps: accumulated batches must differ in their dropout
        step = trainer.fit_loop.epoch_loop.total_batch_idx
        check_interrupted(step)
        seed_step(self._seed, step, trainer.global_rank)


class EmbedRun(pl.Callback):
    """Puts into every checkpoint what `eval.py` and `predict.py` rebuild the run from.

    Args:
        record: See `engine.checkpoints.checkpoint.new_record`.
    """

    def __init__(self, *, record: dict[str, Any]) -> None:
        self._record = record

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the record and its digest; the weights are already in the checkpoint."""
        del trainer, pl_module
        checkpoint[KEY] = seal(checkpoint["state_dict"], self._record)


class History(pl.Callback):
    """Writes one row per epoch with everything that was logged, for the report's learning curves.

    A resumed run keeps the rows of the epochs before it.

    Args:
        path: The CSV file.
    """

    def __init__(self, *, path: str | Path) -> None:
        self._path = Path(path)
        self._rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Append the epoch's metrics; validation of the epoch has run by now."""
        del pl_module
        row = {"epoch": float(trainer.current_epoch), "step": float(trainer.global_step)}
        metrics = {
            str(name): float(value) for name, value in trainer.callback_metrics.items() if _is_scalar(value)
        }
        self._rows = [old for old in self._rows if old["epoch"] < row["epoch"]] + [row | metrics]
        self._write()

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, as plain numbers."""
        return {"rows": self._rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the rows of the run that is resumed."""
        self._rows = list(state_dict["rows"])
        if self._rows:  # here, because no epoch may be left to write them
            self._write()

    @rank_zero_only
    def _write(self) -> None:
        names = list(dict.fromkeys(name for row in self._rows for name in row))
        file = io.StringIO(newline="")
        writer = csv.DictWriter(file, fieldnames=names)
        writer.writeheader()
        writer.writerows(self._rows)
        put(self._path, file.getvalue().encode(), lost="the row of this epoch; checkpoints keep the others")


def _is_scalar(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1)
