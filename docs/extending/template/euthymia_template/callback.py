"""A callback: what is done beside the training."""

import logging

import pytorch_lightning as pl


class TellLoss(pl.Callback):
    """Logs the training loss of every epoch."""

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Tell the last loss."""
        logging.getLogger(__name__).info("loss %.3f", float(trainer.callback_metrics["train/loss"]))
