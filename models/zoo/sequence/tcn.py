"""LMVD's temporal convolutional network (He et al. 2024, arXiv 2407.00024), as a trunk of series.

| choice | source |
|---|---|
| residual blocks of two dilated convolutions, dropout behind each | published: Bai et al. 2018 |
| centered, not causal: a whole recording is there | public code |
| before them, three times: convolution, batch normalization, ReLU, maximum of two steps | public code |
| widths 32, 64, 128, then blocks of 128, 128, 128, 256 with dilations 2, 4, 8, 16 | public code |
| kernels of 3, dropout .2, a linear map to 128 | public code |
| padded steps are zeros behind every layer and not in the statistics | ours |
| an odd last step is kept, MMP on the tokens | ours |

There it reads 171 channels of OpenFace at 915 steps, every sixth frame, as one half of MDDformer. What
follows, learned weights of its 114 tokens in time and a fusion with sound, is not built: the mean of the
tokens is the network's.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import silence, token_mask, zero_masked
from models.zoo.sequence.batch_norm import MaskedBatchNorm

STEM = (32, 64, 128)  # and below: widths of the blocks, tokens, all of the public code
WIDTHS = (128, 128, 128, 256)
TOKEN = 128
DROPOUT = 0.2
_KERNEL = 3


class _Halving(nn.Module):
    """max of two steps of relu(norm(conv x)); x (B,T,C) -> (B,ceil(T/2),D) and its mask."""

    def __init__(self, *, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, _KERNEL, padding=_KERNEL // 2)
        self.norm = MaskedBatchNorm(outputs)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.norm(self.conv(x.transpose(1, 2)).transpose(1, 2), mask).relu()
        # nothing is below 0, so that the zeros of unreal steps are never the maximum of a real pair
        halves = F.max_pool1d(maps.transpose(1, 2), 2, ceil_mode=True).transpose(1, 2)
        return halves, token_mask(mask, halves.shape[1], size=2)


class _Block(nn.Module):
    """relu(shortcut(x) + drop(conv(drop(relu(conv x))))), both convolutions with holes."""

    def __init__(self, *, inputs: int, outputs: int, dilation: int, dropout: float) -> None:
        super().__init__()
        around = (_KERNEL // 2) * dilation
        self.first = nn.Conv1d(inputs, outputs, _KERNEL, padding=around, dilation=dilation)
        self.second = nn.Conv1d(outputs, outputs, _KERNEL, padding=around, dilation=dilation)
        self.drop = nn.Dropout(dropout)
        self.shortcut = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        rows = x.transpose(1, 2)
        inner = self.drop(self.first(rows).relu())
        # a padded step is a convolution's own zero padding
        inner = silence(inner.transpose(1, 2), mask).transpose(1, 2)
        out = (self.drop(self.second(inner)) + self.shortcut(rows)).relu()
        return silence(out.transpose(1, 2), mask)


class TCNTrunk(nn.Module):
    """Series (B,T,F) -> tokens (B,ceil(T/8),D); at full size a token sees 982 steps around it.

    Padding a clip changes none of its tokens. It is a borrowed network and keeps its batch normalization,
    over real steps only.

    Args:
        channels: channels of the series.
        dim: width of the tokens.
        stem: widths of the convolutions that halve the steps; with other than three, T' is T / 2^n.
        widths: of the residual blocks, whose dilations are 2, 4, 8, ...
        dropout: within the blocks.
        mmp: multi-scale motion patterns on the tokens; not part of it.

    Raises:
        ValueError: there is no width for the stem, or none for the blocks.

    Examples:
        >>> import torch
        >>> trunk = TCNTrunk(channels=17, stem=(8, 8, 8), widths=(8, 16), dim=16)
        >>> trunk(torch.randn(2, 50, 17), torch.ones(2, 50, dtype=torch.bool)).shape
        torch.Size([2, 7, 16])
    """

    def __init__(
        self,
        *,
        channels: int,
        dim: int = TOKEN,
        stem: Sequence[int] = STEM,
        widths: Sequence[int] = WIDTHS,
        dropout: float = DROPOUT,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if not stem or not widths:
            raise ValueError(f"stem={list(stem)}, widths={list(widths)}: give each one width or more")
        self.dim, self.token_steps = dim, 2 ** len(stem)
        self.stem = nn.ModuleList(_Halving(inputs=a, outputs=b) for a, b in pairwise([channels, *stem]))
        self.blocks = nn.ModuleList(
            _Block(inputs=a, outputs=b, dilation=2 ** (index + 1), dropout=dropout)
            for index, (a, b) in enumerate(pairwise([stem[-1], *widths]))
        )
        self.project = nn.Linear(widths[-1], dim)
        self.motion = mmp(dim) if mmp is not None else None

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map x (B,T,F) under its mask (B,T) to tokens (B,T',D); tokens of unreal steps are zero."""
        x, real = zero_masked(x, mask), mask
        for halving in self.stem:
            x, real = halving(x, real)
        for block in self.blocks:
            x = block(x, real)
        tokens = silence(self.project(x), real)
        return tokens if self.motion is None else self.motion(tokens, real)
