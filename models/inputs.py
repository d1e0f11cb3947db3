"""Inputs of a branch: frames, frame differences, series levels or their steps.

The contrast can be solved by looks alone, so motion-only inputs exist.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import zero_masked
from models.standardize import Standardize
from models.types import Batch


def _take(batch: Batch, key: str, reader: nn.Module) -> tuple[Tensor, Tensor]:
    if key not in batch:
        raise ValueError(
            f"{type(reader).__name__} reads {key!r}, but the batch holds {sorted(batch)}: "
            "choose a data= and a model= of the same kind (pixels or series)"
        )
    return batch[key], batch["mask"]


def backward_difference(x: Tensor, mask: Tensor) -> Tensor:
    """Return x[t] - x[t-1] along dimension 1: zero at the first step and where one of the two is not real."""
    pad = (0, 0) * (x.dim() - 2) + (1, 0)
    before = F.pad(x[:, :-1], pad)
    return zero_masked(x - before, mask & F.pad(mask[:, :-1], (1, 0), value=False))


class Appearance(nn.Module):
    """The frames themselves, (B,T,C,H,W)."""

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return frames and mask (B,T)."""
        return _take(batch, "frames", self)


class FrameDifference(nn.Module):
    """What changed since the frame before, (B,T,C,H,W): motion without looks."""

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return frame differences and mask (B,T)."""
        frames, mask = _take(batch, "frames", self)
        return backward_difference(frames, mask), mask


class Levels(nn.Module):
    """The standardized series, (B,T,F)."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        self.standardize = Standardize(channels=channels)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return standardized levels and mask (B,T)."""
        series, mask = _take(batch, "series", self)
        return self.standardize(series, mask), mask


class Delta(nn.Module):
    """Steps of the standardized series, (B,T,F): motion without resting levels."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        self.standardize = Standardize(channels=channels)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return standardized steps and mask (B,T)."""
        series, mask = _take(batch, "series", self)
        return backward_difference(self.standardize(series, mask), mask), mask
