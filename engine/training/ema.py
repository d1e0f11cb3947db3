"""Exponential moving average (EMA) of the weights: validated, selected and evaluated in place of the last."""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import WeightAveraging
from torch import Tensor

_START = 10  # of the rise of the decay, as TensorFlow's ExponentialMovingAverage has it


class EMA(WeightAveraging):
    """Averages the weights after every step of the optimizer, and lets validation look at the average.

    The average begins with the weights w_1 of the first step; after step t it is
    a_t = d a_(t-1) + (1 - d) w_t with d = min(decay, t / (t + 9)). It reaches back over a tenth of the
    training so far, until `decay` limits it, and forgets the random start. Parameters are averaged, and
    buffers: the running statistics of batch normalization belong to the weights of a few steps ago, and the
    average reaches further back. Statistics of the data do not change, and whole numbers, which count steps,
    are those of the trained network.

    A checkpoint holds the average as `state_dict`, and the trained weights, from which a resumed run goes on,
    as `current_model_state`.

    Args:
        decay: Upper limit of the weight of the average so far, from 0 to below 1.
        compare: Whether validation measures the trained weights as well, which takes twice as long, as
            `val_raw/<metric>` in `history.csv`.

    Raises:
        ValueError: The decay is none.
    """

    def __init__(self, *, decay: float = 0.99, compare: bool = False) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay={decay} must be from 0 to below 1")
        self.decay, self.compare = decay, compare
        super().__init__(use_buffers=True, multi_avg_fn=self._average)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Bring the average to the device, where Lightning leaves it behind on the CPU.

        How many steps are in it stays there: torch asks for that number in every step, and would wait for it.
        """
        del trainer
        self._other.to(pl_module.device)
        assert self._average_model is not None
        self._average_model.n_averaged = self._average_model.n_averaged.cpu()
        self._other.eval()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Measure the trained weights, which are in the copy while the module holds the average."""
        del pl_module, outputs, batch_idx, dataloader_idx
        if self.compare and not trainer.sanity_checking:
            with trainer.precision_plugin.forward_context():
                self._other.observe(batch)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log what the trained weights reach, then give them back to the module."""
        if self.compare and not trainer.sanity_checking:
            metrics = self._other.val_metrics
            pl_module.log_dict({f"val_raw/{name}": value for name, value in metrics.compute().items()})
            metrics.reset()
        super().on_validation_epoch_end(trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave the trained weights in place, which Lightning overwrites: a checkpoint may still be saved."""

    @property
    def _other(self) -> Any:
        """The copy of the task that holds the weights which the task itself does not hold at the moment."""
        assert self._average_model is not None
        return self._average_model.module

    def _average(self, averages: Any, weights: Any, count: Tensor | int) -> None:
        """Take one step of tensors of one type."""
        del count  # on the device, which reading it would wait for
        if not averages[0].is_floating_point():
            torch._foreach_copy_(averages, weights)
            return
        assert self._average_model is not None
        steps = int(self._average_model.n_averaged) + 1
        decay = min(self.decay, steps / (steps + _START - 1))
        with torch.no_grad():
            torch._foreach_lerp_(averages, weights, 1 - decay)
