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
    training so far, until `decay` limits it, and forgets the random start. Parameters are averaged. Buffers
    are those of the trained network: statistics of the data, which do not change, and running statistics of
    batch normalization, which are averages already.

    A checkpoint holds the average as `state_dict`, and the trained weights, from which a resumed run goes on,
    as `current_model_state`.

    Args:
        decay: Upper limit of the weight of the average so far, from 0 to below 1.

    Raises:
        ValueError: The decay is none.
    """

    def __init__(self, *, decay: float = 0.99) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay={decay} must be from 0 to below 1")
        self.decay = decay
        super().__init__(use_buffers=False, multi_avg_fn=self._average)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Bring the average to the device, where Lightning leaves it behind on the CPU."""
        del trainer
        assert self._average_model is not None
        self._average_model.to(pl_module.device)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave the trained weights in place, which Lightning overwrites: a checkpoint may still be saved."""

    def _average(self, averages: Any, weights: Any, count: Tensor | int) -> None:
        """Take one step; `count` steps were taken before."""
        steps = int(count) + 1
        decay = min(self.decay, steps / (steps + _START - 1))
        with torch.no_grad():
            torch._foreach_lerp_(averages, weights, 1 - decay)
