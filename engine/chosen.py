"""The checkpoint that validation chose, in the folder of the run that chose it."""

import logging
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint

_log = logging.getLogger(__name__)


def chosen(trainer: pl.Trainer, folder: Path) -> tuple[Path, float | None]:
    """The checkpoint that validation chose, and its metric; without a selecting callback the last weights."""
    for callback in trainer.checkpoint_callbacks:
        if isinstance(callback, ModelCheckpoint) and callback.monitor and callback.best_model_path:
            score = callback.best_model_score
            return Path(callback.best_model_path), None if score is None else float(score)
    best = folder / "checkpoints" / "best.ckpt"
    _log.warning("nothing selects a checkpoint (callbacks=none): %s holds the last weights", best)
    trainer.save_checkpoint(best)
    trainer.save_checkpoint(best.with_name("last.ckpt"))
    return best, None
