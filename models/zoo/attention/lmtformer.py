"""LMTformer: a light transformer of several scales, rebuilt from the paper and public code.

| choice | source |
|---|---|
| light transformer of several scales behind a coarse stem | He et al. 2024 |
| stem 1 x 5 x 5, 3^3, 3^3 to 8, 16, 32 channels, each halved in space by maxima | public code |
| patches of 2 x 4 x 4, no encoding of positions, 12 blocks of 4 heads, dropout 0.1 | public code |
| blocks as in `multi_scale_block` | public code |
| tokens: the mean over space of each step; the mean over time is the network's | ours |
| any size and length; an odd clip ends with its last frame twice | ours |
| unreal frames held, a last linear map to `dim`, MMP on the last maps | ours |
| left out: the head (32 units, GELU, dropout 0.2) and two layers that nothing reads | ours |

It has 0.95 M parameters and 1.1 G multiplications for 24 frames of 128 x 128, both as reported.

Source: L. He, J. Zhao, J. Zhang, J. Jiang, S. Qi, Z. Wang, D. Wu, "LMTformer: facial depression recognition
with lightweight multi-scale transformer from videos", Applied Intelligence, 2024, 10.1007/s10489-024-05908-x.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import hold_last, token_mask, zero_masked
from models.zoo.attention.multi_scale_block import MultiScaleBlock

WIDTH = 32  # and below heads, blocks, patch and dropout: the public code
HEADS = 4
BLOCKS = 12
DROPOUT = 0.1
PATCH = (2, 4, 4)
_STEM = 8  # pixels of a frame to one of the stem


def _stem(width: int) -> nn.Sequential:
    """Frames to maps of an eighth of their size, in three steps."""
    layers: list[nn.Module] = []
    for inputs, outputs, kernel in (
        (3, width // 4, (1, 5, 5)),
        (width // 4, width // 2, (3, 3, 3)),
        (width // 2, width, (3, 3, 3)),
    ):
        padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
        layers += [nn.Conv3d(inputs, outputs, kernel, padding=padding), nn.BatchNorm3d(outputs), nn.ReLU()]
        layers.append(nn.MaxPool3d((1, 2, 2)))
    return nn.Sequential(*layers)


class LMTformerTrunk(nn.Module):
    """Frames (B,T,3,H,W) -> tokens (B,T',D), T' = T/2 rounded up; H and W of 32 pixels and more.

    Where H or W is no multiple of 32, the last pixels are not read. Unreal frames are replaced by the last
    real one, as in `VideoTrunk`: their content never matters, but padding a clip changes its tokens slightly.
    It is a borrowed network and keeps its batch normalization.

    Args:
        dim: width of the tokens; None keeps that of the blocks.
        width: channels of the blocks, a multiple of 4 and of `heads`.
        heads: of the attention.
        blocks: how many there are.
        dropout: of scores, attention and gate.
        mmp: MMP by channels, put on the last maps; not part of LMTformer.

    Raises:
        ValueError: a width that heads or the stem cannot share, or frames smaller than a patch.

    Examples:
        >>> trunk = LMTformerTrunk(width=8, heads=2, blocks=1)
        >>> trunk(torch.randn(1, 5, 3, 32, 32), torch.ones(1, 5, dtype=torch.bool)).shape
        torch.Size([1, 3, 8])
    """

    def __init__(
        self,
        *,
        dim: int | None = None,
        width: int = WIDTH,
        heads: int = HEADS,
        blocks: int = BLOCKS,
        dropout: float = DROPOUT,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if width % 4 or width % heads:
            raise ValueError(f"width={width}: use a multiple of 4, for the stem, and of heads={heads}")
        self.stem = _stem(width)
        self.patches = nn.Conv3d(width, width, PATCH, stride=PATCH)
        self.blocks = nn.Sequential(
            *(MultiScaleBlock(width=width, heads=heads, dropout=dropout) for _ in range(blocks))
        )
        self.motion = mmp(width) if mmp is not None else None
        self.dim = width if dim is None else dim
        self.project = nn.Identity() if dim is None else nn.Linear(width, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map frames under their mask (B,T) to tokens (B,T',D); tokens of unreal steps are zero."""
        smallest = _STEM * PATCH[1]
        if min(x.shape[-2:]) < smallest:
            raise ValueError(f"frames of {tuple(x.shape[-2:])} pixels: LMTformer needs {smallest} each way")
        frames = hold_last(x, mask)
        if x.shape[1] % PATCH[0]:
            frames, mask = torch.cat((frames, frames[:, -1:]), 1), F.pad(mask, (0, 1))
        maps = self.blocks(self.patches(self.stem(frames.transpose(1, 2)))).transpose(1, 2)
        steps = token_mask(mask, maps.shape[1])  # (B,T',C,H',W')
        if self.motion is not None:
            maps = self.motion(maps, steps)
        return zero_masked(self.project(maps.mean((-2, -1))), steps)
