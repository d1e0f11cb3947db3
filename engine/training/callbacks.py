"""Lightning callbacks: seeds of steps, record in checkpoints, history of epochs, finite monitored values."""

import logging
import math
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

from engine.checkpoints.checkpoint import KEY, all_weights, seal
from engine.config.compose import ConfigError
from engine.runs.seed import seed_step
from engine.runs.signals import check_interrupted
from engine.training.csv_logger import write_rows

_log = logging.getLogger(__name__)


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
        """Add the record and its digest; the weights, both sets of them, are already in the checkpoint."""
        del trainer, pl_module
        checkpoint[KEY] = seal(all_weights(checkpoint), self._record)


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

    @property
    def rows(self) -> list[dict[str, float]]:
        """One row an epoch so far, those before a resumption too."""
        return list(self._rows)

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
        lost = "the row of this epoch; checkpoints keep the others"
        write_rows(self._path, names, self._rows, lost=lost)


class FiniteMonitor(pl.Callback):
    """Stops a run whose monitored value was a number in no epoch, and remembers the epochs without one.

    An epoch without a number (all predictions equal, so no correlation) is never chosen while another has
    one.

    Args:
        monitor: What chooses the checkpoint, or what another callback waits for.
    """

    def __init__(self, *, monitor: str) -> None:
        self._monitor = monitor
        self.missing: list[int] = []  # epochs in which the value was not finite
        self._finite = 0

    @property
    def state_key(self) -> str:
        """One state for each monitored value."""
        return f"FiniteMonitor({self._monitor})"

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note whether the value of this epoch is finite."""
        del pl_module
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        value = trainer.callback_metrics.get(self._monitor)
        if value is not None and math.isfinite(float(value)):
            self._finite += 1
        elif trainer.current_epoch not in self.missing:
            self.missing.append(trainer.current_epoch)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop, or say which epochs could not be chosen.

        Raises:
            ConfigError: The value was finite in no epoch.
        """
        del trainer, pl_module
        if self.missing and not self._finite:
            raise ConfigError(
                f"{self._monitor}, which is monitored, was a finite number in none of {len(self.missing)} "
                "epochs, so nothing can be chosen by it. The warnings above say why; use "
                "selection.monitor=val/loss or another metric"
            )
        if self.missing:
            _log.warning(
                "%s was no finite number in epochs %s: chosen among the others", self._monitor, self.missing
            )

    def state_dict(self) -> dict[str, Any]:
        """Epochs so far."""
        return {"missing": self.missing, "finite": self._finite}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the epochs of the run that is resumed."""
        self.missing, self._finite = list(state_dict["missing"]), int(state_dict["finite"])


def _is_scalar(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1)
