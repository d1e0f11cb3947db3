"""Where the tokens of a clip are, for transformers that would not know it otherwise.

Grids are (T', H', W'); tokens stand step by step, and row by row within a step. Tables are made once, on the
CPU and outside of inference mode, as training reads those that a validation before it has made.
"""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

_BASE = 10_000.0  # of all wave lengths; Vaswani et al. 2017
TRAINED = (8, 14, 14)
"""Grid of VideoMAE: 16 frames of 224 x 224 in tubelets of 2 x 16 x 16."""
ROTARY_SIDE = 16
"""Cells a side that V-JEPA 2.1 stretches every picture to: 256 pixels in patches of 16."""


def waves(places: Tensor, width: int) -> Tensor:
    """Sines and cosines (N,D) of places (N,): entries 2i and 2i + 1 have the angle place / 10000^(2i / D).

    Examples:
        >>> waves(torch.tensor([0.0, 1.0]), 2)
        tensor([[0.0000, 1.0000],
                [0.8415, 0.5403]])
    """
    lengths = _BASE ** (torch.arange(0, width, 2, dtype=torch.float64, device=places.device) / width)
    angles = places.double()[:, None] / lengths
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1).float()


@lru_cache(maxsize=8)
@torch.inference_mode(False)
def joint(grid: tuple[int, int, int], width: int) -> Tensor:
    """Embedding (N,D) of VideoMAE: the number of a token, counted through the whole clip, as `waves`.

    Tokens of another grid than `TRAINED` take what is interpolated between its tokens: their own number
    would say another place.
    """
    table = waves(torch.arange(TRAINED[0] * TRAINED[1] * TRAINED[2], device="cpu"), width)
    if grid == TRAINED:
        return table
    maps = table.T.reshape(1, width, *TRAINED)
    return F.interpolate(maps, size=grid, mode="trilinear", align_corners=False)[0].flatten(1).T.contiguous()


@lru_cache(maxsize=8)
@torch.inference_mode(False)
def factorized(grid: tuple[int, int, int], width: int) -> Tensor:
    """Embedding (N,D) with a part of the width for step, row and column each, as `waves`; what is left is 0.

    Places are counted, so that a longer or larger clip goes on where a small one ends.
    """
    part = 2 * (width // 6)
    axes = torch.meshgrid(*(torch.arange(n, device="cpu") for n in grid), indexing="ij")
    found = torch.cat([waves(axis.flatten(), part) for axis in axes], 1)
    return F.pad(found, (0, width - found.shape[1]))


@lru_cache(maxsize=8)
@torch.inference_mode(False)
def rotations(
    grid: tuple[int, int, int], width: int, *, stretched: bool, paired: bool
) -> tuple[Tensor, Tensor]:
    """Cosines and sines (N,D) by which `rotate` turns queries and keys of one head of width D.

    Step, row and column turn 2 floor(floor(D / 3) / 2) entries each, as in V-JEPA 2 (arXiv 2506.09985) and
    its code; the rest is not turned.

    Args:
        grid: Of the tokens.
        width: D.
        stretched: Whether rows and columns are counted on `ROTARY_SIDE` cells, whatever there are, as in 2.1.
        paired: Whether both entries of a pair turn by one angle. In V-JEPA 2 they do not (its code calls this
            a bug that its weights were trained with); in 2.1 they do.
    """
    part = 2 * (width // 3 // 2)
    counted = (torch.arange(n, dtype=torch.float64, device="cpu") for n in grid)
    places = list(torch.meshgrid(*counted, indexing="ij"))
    if stretched:
        for axis in (1, 2):
            places[axis] = places[axis] * (ROTARY_SIDE - 1) / max(grid[axis] - 1, 1)
    shares = _BASE ** -(torch.arange(part // 2, dtype=torch.float64, device="cpu") / (part / 2))
    angles = [axis.flatten()[:, None] * shares for axis in places]
    spread = [a.repeat_interleave(2, 1) if paired else a.repeat(1, 2) for a in angles]
    every = F.pad(torch.cat(spread, 1), (0, width - 3 * part))  # an angle of zero leaves an entry alone
    return every.cos().float(), every.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn x (...,N,D): (a, b) of each pair -> (a cos - b sin, b cos + a sin) with the angle of its entry."""
    first, second = x.reshape(*x.shape[:-1], -1, 2).unbind(-1)
    turned = torch.stack((-second, first), -1).flatten(-2)
    return x * cos + turned * sin
