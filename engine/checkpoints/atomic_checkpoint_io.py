"""Lightning's checkpoint writer with atomic writes; the `last.ckpt` before is kept as `previous.ckpt`."""

import io
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO

from engine.runs.atomic_write import put

LAST, PREVIOUS = "last.ckpt", "previous.ckpt"
STEP = "step.ckpt"  # in the middle of an epoch, written where a job is about to end


class WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place and renames it; `last.ckpt` becomes `previous.ckpt` first."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write one checkpoint.

        Raises:
            DiskError: It could not be written; those before it are untouched.
        """
        del storage_options
        path = Path(path)
        buffer = io.BytesIO()  # torch reports a full disk as an error of its own; plain bytes do not
        torch.save(checkpoint, buffer)
        before = path.with_name(PREVIOUS) if path.name == LAST else None
        lost = f"the state after epoch {checkpoint.get('epoch')}; the one before it is whole"
        put(path, buffer.getvalue(), lost=lost, before=before)
        if path.name == LAST:
            path.with_name(STEP).unlink(missing_ok=True)  # where it is there, it is the newest
