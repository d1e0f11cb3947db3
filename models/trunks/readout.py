"""Readout of feature maps: one token per frame, without losing where things are."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SQUEEZED = 32  # channels kept per cell; our choice


class SpatialReadout(nn.Module):
    """Maps (N,C,H,W) -> tokens (N,D): a linear map of the global mean and of a small spatial grid.

    A global average cannot tell a raised mouth corner from a lowered one; the grid can: each map is
    squeezed, pooled to grid x grid cells and flattened.

    Args:
        channels: C of the maps.
        dim: D of the tokens.
        grid: cells per side.
    """

    def __init__(self, *, channels: int, dim: int, grid: int = 4) -> None:
        super().__init__()
        self.grid = grid
        self.squeeze = nn.Conv2d(channels, _SQUEEZED, 1)
        self.linear = nn.Linear(channels + _SQUEEZED * grid * grid, dim)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the tokens."""
        cells = self.squeeze(maps)
        if cells.shape[-2:] != (self.grid, self.grid):
            cells = F.adaptive_avg_pool2d(cells, self.grid)
        tokens: Tensor = self.linear(torch.cat((maps.mean((-2, -1)), cells.flatten(1)), 1))
        return tokens
