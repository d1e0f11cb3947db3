"""InceptionTime (Ismail Fawaz et al. 2020, arXiv 1909.04939) with masks, as a trunk of series.

| choice | source |
|---|---|
| six modules: bottleneck 32, three convolutions and a pooled branch of 32 filters each | published |
| shortcuts around every third module, batch normalization, mean over time | published |
| kernels 39, 19, 9 in place of 40, 20, 10 | ours |
| statistics, pooling and mean over real steps only; MMP on the last states | ours |

Published is the mean of five such networks of different seeds; a trunk is one.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import silence, zero_masked
from models.zoo.sequence.batch_norm import MaskedBatchNorm

KERNELS = (39, 19, 9)  # the paper has 40, 20, 10; odd ones keep a step where it was
# of the paper, as are bottleneck, depth and shortcuts around three: 32 filters for each of four branches
WIDTH = 128
BOTTLENECK = 32
DEPTH = 6
_SHORTCUT = 3


class _Inception(nn.Module):
    """Bottleneck, parallel convolutions of several lengths and a pooled branch, joined and normalized."""

    def __init__(self, *, channels: int, filters: int, kernels: Sequence[int]) -> None:
        super().__init__()
        narrow = BOTTLENECK if channels > 1 else channels
        self.bottleneck = nn.Conv1d(channels, narrow, 1, bias=False) if channels > 1 else nn.Identity()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(narrow, filters, kernel, padding=kernel // 2, bias=False) for kernel in kernels
        )
        self.pooled = nn.Conv1d(channels, filters, 1, bias=False)
        self.norm = MaskedBatchNorm(filters * (len(kernels) + 1))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        rows = x.transpose(1, 2)
        narrow = self.bottleneck(rows)
        highest = F.max_pool1d(rows.masked_fill(~mask[:, None], -torch.inf), 3, stride=1, padding=1)
        highest = highest.masked_fill(~mask[:, None], 0.0)
        parts = [convolution(narrow) for convolution in self.convolutions] + [self.pooled(highest)]
        out: Tensor = self.norm(torch.cat(parts, 1).transpose(1, 2), mask)
        return out


class InceptionTimeTrunk(nn.Module):
    """Series (B,T,F) -> tokens (B,T,D); the network takes their masked mean.

    Six inception modules with a shortcut around every third, as published. It is a borrowed network and keeps
    its batch normalization, over real steps only.

    Args:
        channels: channels of the series.
        dim: width of the tokens, shared by the branches: three convolutions and the pooled one.
        depth: number of modules.
        kernels: lengths of the convolutions, odd.
        mmp: multi-scale motion patterns after the last module; not part of InceptionTime.

    Examples:
        >>> trunk = InceptionTimeTrunk(channels=17, depth=3)
        >>> trunk(torch.randn(2, 50, 17), torch.ones(2, 50, dtype=torch.bool)).shape
        torch.Size([2, 50, 128])
    """

    def __init__(
        self,
        *,
        channels: int,
        dim: int = WIDTH,
        depth: int = DEPTH,
        kernels: Sequence[int] = KERNELS,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if even := [kernel for kernel in kernels if kernel % 2 == 0]:
            raise ValueError(
                f"kernels={list(kernels)}: {even[0]} would shift the series in time, use odd ones"
            )
        filters, rest = divmod(dim, len(kernels) + 1)
        if rest:
            raise ValueError(
                f"dim={dim} cannot be shared by {len(kernels) + 1} branches: use a multiple of it"
            )
        self.dim = dim
        self.inceptions = nn.ModuleList(
            _Inception(channels=channels if index == 0 else dim, filters=filters, kernels=kernels)
            for index in range(depth)
        )
        ends = range(_SHORTCUT - 1, depth, _SHORTCUT)
        widths = [channels if end < _SHORTCUT else self.dim for end in ends]
        self.shortcuts = nn.ModuleList(nn.Linear(width, self.dim, bias=False) for width in widths)
        self.norms = nn.ModuleList(MaskedBatchNorm(self.dim) for _ in widths)
        self.motion = mmp(self.dim) if mmp is not None else None

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map x (B,T,F) under its mask (B,T) to tokens (B,T,D); tokens of unreal steps are zero."""
        tokens = start = zero_masked(x, mask)
        for index, inception in enumerate(self.inceptions):
            tokens = F.relu(inception(tokens, mask))
            block, place = divmod(index, _SHORTCUT)
            if place == _SHORTCUT - 1:
                around = self.norms[block](self.shortcuts[block](start), mask)
                tokens = start = F.relu(tokens + around)
        return silence(tokens, mask) if self.motion is None else self.motion(tokens, mask)
