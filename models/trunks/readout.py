"""Readouts of feature maps: one token per frame, without losing where things are, or one per place."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SQUEEZED = 32  # channels kept per cell; our choice
NO_WIDTH = (
    "dim=None: this readout maps flattened cells to a width: give one (width=64), or keep each cell with "
    "its channels (model/readout=tokens)"
)


class SpatialReadout(nn.Module):
    """Maps (N,C,H,W) -> tokens (N,D): a linear map of the global mean and of a small spatial grid.

    A global average cannot tell a raised mouth corner from a lowered one; the grid can: each map is
    squeezed, pooled to grid x grid cells and flattened.

    Args:
        channels: C of the maps.
        dim: D of the tokens.
        grid: cells per side.

    Raises:
        ValueError: there is no width; a flattened grid has to be mapped to one.
    """

    def __init__(self, *, channels: int, dim: int | None, grid: int = 4) -> None:
        super().__init__()
        if dim is None:
            raise ValueError(NO_WIDTH)
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


class TokenReadout(nn.Module):
    """Maps (N,C,H,W) -> tokens (N,S,D): each cell of a grid is a token, S = grid^2, row by row.

    The pool, and not the readout, then says what is looked at and where (`AttentivePool`). Maps of
    convolutions do not know where they are: each place has a learned vector that is added, zero at first.

    Args:
        channels: C of the maps.
        dim: D of the tokens; None keeps the cells as they are, D = C, and nothing is learned.
        grid: cells per side; that of the maps keeps every one of them, e.g. 14 of a ViT at 224 pixels.

    Raises:
        ValueError: there is no cell.

    Examples:
        >>> TokenReadout(channels=8, dim=16, grid=2)(torch.randn(3, 8, 6, 6)).shape
        torch.Size([3, 4, 16])
    """

    def __init__(self, *, channels: int, dim: int | None, grid: int = 4) -> None:
        super().__init__()
        if grid < 1:
            raise ValueError(f"grid={grid}: a side has at least one cell")
        self.grid, self.cells = grid, grid * grid
        self.linear = None if dim is None else nn.Linear(channels, dim)
        self.place = None if dim is None else nn.Parameter(torch.zeros(self.cells, dim))

    def forward(self, maps: Tensor) -> Tensor:
        """Return the tokens."""
        if maps.shape[-2:] != (self.grid, self.grid):
            maps = F.adaptive_avg_pool2d(maps, self.grid)
        cells = maps.flatten(2).transpose(1, 2)
        if self.linear is None or self.place is None:
            return cells
        tokens: Tensor = self.linear(cells) + self.place
        return tokens


def joined(stages: Sequence[Tensor], *, dim: int | None) -> Tensor:
    """Tokens of several stages as one: of one width their sum (...,D), else side by side (...,sum of C)."""
    return torch.cat(tuple(stages), -1) if dim is None else sum(stages[1:], stages[0])
