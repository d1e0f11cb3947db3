"""Early stopping whose patience is counted after the warm-up of the learning rate."""

from math import ceil
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning import callbacks

_SHARE, _LEAST = 3, 3  # a third of the epochs, and no fewer than three: our choice


class EarlyStopping(callbacks.EarlyStopping):
    """Stops when the monitored value was not better for `patience` epochs, counted after the warm-up.

    While the learning rate still rises no epoch counts, neither as the best so far nor against the patience:
    a network a few steps from its random start can be best by chance. The checkpoint of such an epoch is kept
    if it is the best of all. With `callbacks/ema=average` the value is that of the averaged weights.

    Args:
        patience: Epochs without an improvement; None takes a third of `trainer.max_epochs`, at
            least 3.
        settings: Of Lightning's `EarlyStopping`.
    """

    def __init__(self, *, patience: int | None = None, **settings: Any) -> None:
        super().__init__(**settings, patience=1 if patience is None else patience)
        self._relative, self._begin = patience is None, 0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Learn how long the warm-up and the training are.

        Raises:
            ValueError: The patience was left open, and so are the epochs.
        """
        super().setup(trainer, pl_module, stage)
        self._begin = ceil(getattr(pl_module, "warmup_epochs", 0.0))
        if self._relative:
            if trainer.max_epochs is None or trainer.max_epochs < 1:
                raise ValueError(
                    "callbacks.early_stopping.patience=null is a third of trainer.max_epochs, which is not "
                    "set: give a number of epochs"
                )
            self.patience = max(_LEAST, ceil(trainer.max_epochs / _SHARE))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count the epoch, after the warm-up."""
        if trainer.current_epoch >= self._begin:
            super().on_train_epoch_end(trainer, pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count the epoch, after the warm-up."""
        if trainer.current_epoch >= self._begin:
            super().on_validation_end(trainer, pl_module)
