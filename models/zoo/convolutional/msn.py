"""MSN-like: a multi-scale 3-D network, rebuilt from a description of public code, as a trunk of video.

| choice | source |
|---|---|
| parallel 3-D convolutions of several sizes over one reduction in time | Melo et al. 2020 |
| stem 7^3 of 64, pooling, 3 multi-scale cells (128), 12 light ones (256), a quarter inside | public port |
| shortcut by a 1^3 convolution around every cell, batch normalization, no biases | public port |
| tokens: the mean over space of each step left; the mean over time is the network's | ours |
| unreal frames held, a last linear map to `dim`, MMP on the last maps | ours |

The port was published with "Faces of the Mind" and takes 7 frames of 256 x 256. It has 5.0 M parameters. The
network of Melo et al. is reported with 77.7 M: whatever it is made of besides, it is not this one.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.masking import hold_last, token_mask, zero_masked

KERNELS = (3, 5, 7)  # of the parallel convolutions; Melo et al. 2020
STEM = 64  # channels, and below widths and numbers of both kinds of cells: the public port
WIDTHS = (128, 256)
CELLS = (3, 12)
_INSIDE = 4  # a cell works on a quarter of its width: 32 and 64 in the port
_IN_TIME = (3, 1, 1)


def _convolution(
    inputs: int, outputs: int, kernel: int | tuple[int, int, int], stride: int | tuple[int, int, int] = 1
) -> nn.Sequential:
    """Convolution that keeps the size at stride 1, and its batch normalization."""
    time, height, width = (kernel,) * 3 if isinstance(kernel, int) else kernel
    padding = (time // 2, height // 2, width // 2)
    conv = nn.Conv3d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(outputs))


class _Cell(nn.Module):
    """relu(shortcut + out(join of relu(conv_k(relu(in(x))))): in and out run in time, conv_k in all three."""

    def __init__(self, *, inputs: int, outputs: int, kernels: Sequence[int]) -> None:
        super().__init__()
        inside = outputs // _INSIDE
        self.shortcut = _convolution(inputs, outputs, 1)
        self.enter = _convolution(inputs, inside, _IN_TIME)
        self.scales = nn.ModuleList(_convolution(inside, inside, kernel) for kernel in kernels)
        self.leave = _convolution(inside * len(kernels), outputs, _IN_TIME)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.enter(x).relu()
        joined = torch.cat([scale(inner).relu() for scale in self.scales], 1)
        out: Tensor = (self.shortcut(x) + self.leave(joined)).relu()
        return out


class MSNTrunk(nn.Module):
    """Frames (B,T,3,H,W) -> tokens (B,T',D), T' about T/8.

    Unreal frames are replaced by the last real one, as in `VideoTrunk`: their content never matters, but
    padding a clip changes its tokens slightly. It is a borrowed network and keeps its batch normalization.

    Args:
        dim: width of the tokens; None keeps the width of the light cells.
        stem: channels of the first convolution.
        widths: channels of the multi-scale and of the light cells, multiples of 4.
        cells: how many of each.
        kernels: sizes of the parallel convolutions of a multi-scale cell, odd; light cells have 3 alone.
        mmp: MMP by channels, put on the last maps; not part of MSN.

    Examples:
        >>> trunk = MSNTrunk(stem=8, widths=(8, 16), cells=(1, 1))
        >>> trunk(torch.randn(1, 7, 3, 32, 32), torch.ones(1, 7, dtype=torch.bool)).shape
        torch.Size([1, 2, 16])
    """

    def __init__(
        self,
        *,
        dim: int | None = None,
        stem: int = STEM,
        widths: Sequence[int] = WIDTHS,
        cells: Sequence[int] = CELLS,
        kernels: Sequence[int] = KERNELS,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if even := [kernel for kernel in kernels if kernel % 2 == 0]:
            raise ValueError(f"kernels={list(kernels)}: {even[0]} would shift the video, use odd ones")
        if len(widths) != 2 or len(cells) != 2 or any(width % _INSIDE for width in widths):
            raise ValueError(
                f"widths={list(widths)}, cells={list(cells)}: give two of each, for multi-scale and light "
                f"cells, and widths that are multiples of {_INSIDE}"
            )
        self.stem = _convolution(3, stem, 7, stride=(1, 2, 2))
        self.halve = nn.MaxPool3d(3, stride=2, padding=1)
        self.multi_scale = _stage(inputs=stem, width=widths[0], cells=cells[0], kernels=kernels)
        self.light = _stage(inputs=widths[0], width=widths[1], cells=cells[1], kernels=(3,))
        self.pool = nn.MaxPool3d(2, stride=2, padding=1)  # padded, as in the port
        self.motion = mmp(widths[1]) if mmp is not None else None
        self.dim = widths[1] if dim is None else dim
        self.project = nn.Identity() if dim is None else nn.Linear(widths[1], dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map frames under their mask (B,T) to tokens (B,T',D); tokens of unreal steps are zero."""
        maps = self.halve(self.stem(hold_last(x, mask).transpose(1, 2)).relu())
        maps = self.pool(self.light(self.pool(self.multi_scale(maps))))
        maps = maps.transpose(1, 2)  # (B,T',C,H',W')
        steps = token_mask(mask, maps.shape[1])
        if self.motion is not None:
            maps = self.motion(maps, steps)
        return zero_masked(self.project(maps.mean((-2, -1))), steps)


def _stage(*, inputs: int, width: int, cells: int, kernels: Sequence[int]) -> nn.Sequential:
    steps = pairwise([inputs, *[width] * cells])
    return nn.Sequential(*(_Cell(inputs=a, outputs=b, kernels=kernels) for a, b in steps))
