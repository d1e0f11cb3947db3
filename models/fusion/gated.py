"""Gated fusion: each set is mapped to one width, and a gate weighs the sets at every step."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.inputs import Input, Levels
from models.masking import zero_masked
from models.types import Batch, entry

_ABSENT = -1e4  # of a score: its weight is exactly 0 beside any other in float32


class GatedSets(Input):
    r"""S feature sets (B,T,F) -> one series (B,T,D) for a trunk of series.

        h_s = W_s z_s + b_s,    g_s = softmax_s(a_s . h_s + c_s) over the real sets,    y = \sum_s g_s h_s

    with z the standardized channels of a set. After the gated multimodal unit (Arevalo et al. 2017,
    arXiv 1702.01992); ours are the softmax, and that the score of a set reads that set alone, so that one
    that is not there changes nothing. All scores start at 0: at the mean of the sets.

    Args:
        channels: F.
        widths: Channels of each set, side by side.
        dim: D, the channels of the trunk.

    Examples:
        >>> sets = GatedSets(channels=5, widths=[2, 3], dim=8)
        >>> real = torch.ones(1, 4, 2, dtype=torch.bool)
        >>> x, _ = sets({"series": torch.randn(1, 4, 5), "mask": real.any(2), "set_mask": real})
        >>> x.shape
        torch.Size([1, 4, 8])
    """

    reads = "series"

    def __init__(self, *, channels: int, widths: Sequence[int], dim: int) -> None:
        super().__init__()
        self.dim, self.widths = dim, list(widths)
        self.levels = Levels(channels=channels, widths=widths)
        self.project = nn.ModuleList(nn.Linear(width, dim) for width in widths)
        self.score = nn.Parameter(torch.zeros(len(self.widths), dim))
        self.bias = nn.Parameter(torch.zeros(len(self.widths)))

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the mixed series (B,T,D) and its mask (B,T)."""
        levels, mask = self.levels(batch)
        parts = levels.split(self.widths, dim=2)
        mapped = torch.stack([own(part) for own, part in zip(self.project, parts, strict=True)], 2)
        gates = self.gates(mapped, entry(batch, "set_mask", "GatedSets"))
        return zero_masked((gates.unsqueeze(3) * mapped).sum(2), mask), mask

    def gates(self, mapped: Tensor, real: Tensor) -> Tensor:
        """Weights (B,T,S) of the mapped sets (B,T,S,D), which sum to 1 over the real ones (B,T,S)."""
        scores = (mapped.float() * self.score.float()).sum(3) + self.bias.float()
        return scores.masked_fill(~real, _ABSENT).softmax(2) * real
