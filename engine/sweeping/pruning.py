"""Lightning callback that reports validation to a study each epoch, and ends a trial that is behind."""

import math
from collections.abc import Callable

import optuna
import pytorch_lightning as pl

from datamodules.split_leakage.split_checks import check_selection
from engine.runs.provenance import Pruned


class ReportEpochs(pl.Callback):
    """Reports the monitored validation value of each epoch; ends the training where it is too low.

    Args:
        monitor: A `val/...` value.
        report: Called with epoch and value; answers whether to end.

    Raises:
        LeakageError: Something other than validation would decide.
    """

    def __init__(self, *, monitor: str, report: Callable[[int, float], bool]) -> None:
        check_selection(monitor)
        self._monitor, self._report = monitor, report

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report, and end if told so.

        Raises:
            Pruned: The trial is behind the others.
        """
        del pl_module
        value = trainer.callback_metrics.get(self._monitor)
        if trainer.sanity_checking or trainer.state.fn != "fit" or value is None:
            return
        number = float(value)
        if math.isfinite(number) and self._report(trainer.current_epoch, number):
            raise Pruned(f"after epoch {trainer.current_epoch + 1}, {self._monitor} {number:.4f}")


def reporter(trial: optuna.Trial) -> Callable[[int, float], bool]:
    """What reports to a trial of Optuna.

    An epoch that is trained again, as its worker died before its checkpoint, has been reported already.
    """
    known = set(trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values)

    def report(epoch: int, value: float) -> bool:
        if epoch not in known:
            trial.report(value, epoch)
        behind: bool = trial.should_prune()
        return behind

    return report
