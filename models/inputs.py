"""Inputs of a branch: frames, frame differences, series levels or their steps.

The contrast can be solved by looks alone, so motion-only inputs exist.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import zero_masked
from models.standardize import Standardize
from models.types import Batch, entry


class Input(nn.Module):
    """Reads one kind of content of a batch: `frames` or `series`."""

    reads: ClassVar[str]

    def take(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the content as it came, and its mask (B,T).

        Raises:
            ValueError: the batch has none of this kind, or no mask.
        """
        if self.reads not in batch:
            raise ValueError(
                f"{type(self).__name__} reads {self.reads!r}, but the batch holds {sorted(batch)}: choose a "
                "data= and a model= (or model/trunk=) of the same kind, pixels or series"
            )
        return batch[self.reads], entry(batch, "mask", type(self).__name__)


def backward_difference(x: Tensor, mask: Tensor) -> Tensor:
    """Return x[t] - x[t-1] along dimension 1: zero at the first step and where one of the two is not real."""
    pad = (0, 0) * (x.dim() - 2) + (1, 0)
    before = F.pad(x[:, :-1], pad)
    return zero_masked(x - before, mask & F.pad(mask[:, :-1], (1, 0), value=False))


class Appearance(Input):
    """The frames themselves, (B,T,C,H,W)."""

    reads = "frames"

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return frames and mask (B,T)."""
        return self.take(batch)


class FrameDifference(Input):
    """What changed since the frame before, (B,T,C,H,W): motion without looks."""

    reads = "frames"

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return frame differences and mask (B,T)."""
        frames, mask = self.take(batch)
        return backward_difference(frames, mask), mask


class Tokens(Input):
    """Tokens that a frozen encoder made before, (B,N,C), and their mask (B,N)."""

    reads = "tokens"

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return tokens and mask (B,N)."""
        return self.take(batch)


class Levels(Input):
    """The standardized series, (B,T,F); of feature sets zero where a set is not real.

    Args:
        channels: F.
        widths: Channels of each of S feature sets, side by side; None where the series is no feature sets.

    Raises:
        ValueError: The widths do not add up to the channels; on use, sets and widths do not belong together.
    """

    reads = "series"
    set_of: Tensor

    def __init__(self, *, channels: int, widths: Sequence[int] | None = None) -> None:
        super().__init__()
        self.standardize = Standardize(channels=channels)
        self.of_sets = widths is not None
        if widths is not None:
            if sum(widths) != channels or min(widths, default=0) < 1:
                raise ValueError(
                    f"widths={list(widths)} of feature sets do not add up to channels={channels}"
                )
            places = torch.arange(len(widths)).repeat_interleave(torch.tensor(widths, device="cpu"))
            self.register_buffer("set_of", places, persistent=False)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return standardized levels and mask (B,T)."""
        series, mask = self.take(batch)
        levels = self.standardize(series, mask)
        real = self.real(batch)
        return levels if real is None else levels.masked_fill(~real, 0.0), mask

    def real(self, batch: Batch) -> Tensor | None:
        """Which channels are real where, (B,T,F); None where all of them are in every real step."""
        if not self.of_sets:
            if "set_mask" in batch:
                raise ValueError(
                    f"the batch holds feature sets, and {type(self).__name__} knows no widths of them: "
                    "choose model/fusion=early, gated or late"
                )
            return None
        return entry(batch, "set_mask", type(self).__name__).index_select(2, self.set_of)


class Delta(Levels):
    """Steps of the standardized series, (B,T,F): motion without resting levels."""

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return standardized steps and mask (B,T)."""
        levels, mask = super().forward(batch)
        steps, real = backward_difference(levels, mask), self.real(batch)
        if real is not None:  # a set that begins does not step
            steps = steps.masked_fill(~(real & F.pad(real[:, :-1], (0, 0, 1, 0), value=False)), 0.0)
        return steps, mask
