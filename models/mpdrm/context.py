"""Personality context for RARM: from the clip itself, the person's other recordings, or the batch.

The choice decides what personalization can do for a new person. A negative subject code marks an unknown
person, of whom no other recording can be known.
"""

import torch
from torch import Tensor, nn

from models.types import Batch, entry


class ClipContext(nn.Module):
    """The clip's own personality feature. Always available; the published abstract names no context.

    A habit that nothing in the clip reveals cannot be removed from that clip; what this context achieves on
    unseen persons is bounded by how much of a habit shows beside the symptoms.
    """

    def __init__(self, *, detach: bool = False) -> None:
        super().__init__()
        self.detach = detach

    def forward(self, feature: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return context (B,D) and availability (B,) for personality features (B,D)."""
        # Detached, only the contrast trains the personality; else the labels do too, through RARM.
        context = feature.detach() if self.detach else feature
        return context, torch.ones(len(feature), dtype=torch.bool, device=feature.device)


class EnrolmentContext(nn.Module):
    r"""Mean personality feature of the person's *other* recordings in the batch; needs no label. Ours.

    c_i = mean over recordings r != r_i of subject s_i of (mean over the clips of r of f): every recording
    counts once, however many of its clips are in the batch, and a recording is never part of its own
    context. A batch with neither `subject` nor `row` says of nobody who it is: there is no context.
    """

    def __init__(self, *, detach: bool = False) -> None:
        super().__init__()
        self.detach = detach

    def forward(self, feature: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return context (B,D), zeros where there is none, and availability (B,) for features (B,D).

        Raises:
            ValueError: the batch has one of `subject` and `row` without the other.
        """
        if "subject" not in batch and "row" not in batch:
            nobody = torch.zeros(len(feature), dtype=torch.bool, device=feature.device)
            return torch.zeros_like(feature), nobody
        subject, row = (entry(batch, key, "the context of other visits") for key in ("subject", "row"))
        same_recording = row[:, None] == row[None, :]
        other = (subject[:, None] == subject[None, :]) & ~same_recording & (subject >= 0)[:, None]
        weight = other / same_recording.sum(1)  # each recording weighs 1 in total
        # Mean over the other recordings; where there is none the row is zero, and stays so.
        weight = weight / weight.sum(1, keepdim=True).clamp_min(1.0)
        source = feature.detach() if self.detach else feature
        return weight.to(source.dtype) @ source, other.any(1)


class GivenContext(nn.Module):
    """A context that comes with the batch: holds it fixed while a recording itself is varied."""

    def forward(self, feature: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return `batch["context"]` (B,D) and `batch["context_available"]` (B,)."""
        return batch["context"], batch["context_available"]
