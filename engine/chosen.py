"""The checkpoint that validation chose, in the folder of the run that chose it."""

import logging
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint

_log = logging.getLogger(__name__)


def chosen(trainer: pl.Trainer, folder: Path, *, monitor: str) -> tuple[Path, float | None]:
    """The checkpoint that validation chose, and its metric; without a selecting callback the last weights.

    Args:
        trainer: After a training.
        folder: Of the run.
        monitor: What the run selects by. A further `ModelCheckpoint` may have kept the best by another value.
    """
    kept = [
        callback
        for callback in trainer.checkpoint_callbacks
        if isinstance(callback, ModelCheckpoint) and callback.monitor and callback.best_model_path
    ]
    for callback in sorted(kept, key=lambda one: one.monitor != monitor):
        if callback.monitor != monitor:
            _log.warning("the checkpoint is chosen by %s, as none was kept by %s", callback.monitor, monitor)
        score = callback.best_model_score
        return Path(callback.best_model_path), None if score is None else float(score)
    best = folder / "checkpoints" / "best.ckpt"
    _log.warning("nothing selects a checkpoint (callbacks=none): %s holds the last weights", best)
    trainer.save_checkpoint(best)
    trainer.save_checkpoint(best.with_name("last.ckpt"))
    return best, None
