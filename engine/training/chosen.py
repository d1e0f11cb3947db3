"""The chosen checkpoint: which one validation selected in a run, and with what metric."""

import logging
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint

_log = logging.getLogger(__name__)


def chosen(trainer: pl.Trainer, folder: Path, *, monitor: str) -> tuple[Path, float | None, str | None]:
    """The checkpoint that validation chose, and its metric.

    Where nothing was chosen these are the last weights and None, with a remark for the record and the report.

    Args:
        trainer: After a training.
        folder: Of the run.
        monitor: What the run selects by. A further `ModelCheckpoint` may have kept the best by another value.
    """
    selects = [c for c in trainer.checkpoint_callbacks if isinstance(c, ModelCheckpoint) and c.monitor]
    for callback in sorted(selects, key=lambda one: one.monitor != monitor):
        if callback.best_model_path:
            remark = None
            if callback.monitor != monitor:
                remark = f"The checkpoint is chosen by {callback.monitor}, as none was kept by {monitor}."
                _log.warning("%s", remark)
            score = callback.best_model_score
            return Path(callback.best_model_path), None if score is None else float(score), remark
    best = folder / "checkpoints" / "best.ckpt"
    why = "no callback selects a checkpoint"
    if selects:
        why = (
            f"{selects[0].monitor} chose no checkpoint in {trainer.current_epoch} epochs, for none was "
            "validated and kept (trainer.check_val_every_n_epoch, or every_n_epochs of the callback)"
        )
    remark = f"Not chosen by validation: {why}, so best.ckpt holds the last weights."
    _log.warning("%s: %s", best, remark)
    trainer.save_checkpoint(best)
    trainer.save_checkpoint(best.with_name("last.ckpt"))
    return best, None, remark
