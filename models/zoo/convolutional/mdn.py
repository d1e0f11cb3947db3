"""MDN: maxima and differences over several steps of time, rebuilt from the paper and public code.

| choice | source |
|---|---|
| smooth changes by maxima over time, sudden ones by differences | Melo et al. 2021 |
| no 3-D convolutions in the cells, 152 layers | Melo et al. 2021 |
| 3, 24, 45, 3 cells of 32, 64, 128, 256 channels; each stage halves time and space | public code |
| stem 7^3 of 64 with strides 1, 2, 2, then maxima over 3^3 with stride 2 | public code |
| maxima over 2, 3, 4 steps in the first stage and one step less in each following one | public code |
| the first cell of a stage still has the lengths of the stage before | public code |
| absolute differences over 1 and 2 steps, zeros behind the end: the last is the frame itself | public code |
| 24 cells for 50 layers: two layers a cell, as in the published count | ours |
| windows of an even length reach further ahead, strided ones are centered; Keras differs by a pixel | ours |
| batch normalization as in torch, with a scale: the public code has offsets only | ours |
| tokens: the mean over space of each step left; the mean over time is the network's | ours |
| unreal frames held, a last linear map to `dim`, MMP on the last maps | ours |

MDN-152 has 52 M parameters as reported and 13.4 G multiplications for 16 frames of 112 x 112. The paper has
models of 100 and 152 layers; a network of 50, and its distribution over the stages, is ours. The published
head is a layer of 256 units and a regression, pre-trained on VGGFace2.

Source: W. C. de Melo, E. Granger, M. Bordallo Lopez, "MDN: A Deep Maximization-Differentiation Network for
Spatio-Temporal Depression Detection", IEEE Transactions on Affective Computing 14(1), 2023.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import hold_last, token_mask, zero_masked

STEM = 64  # channels, and below numbers of cells and widths: the public code
CELLS_152 = (3, 24, 45, 3)
WIDTHS = (32, 64, 128, 256)
CELLS_50 = (3, 6, 12, 3)  # our choice
WINDOWS = (2, 3, 4)  # steps of the maxima in the first stage; the public code
LAGS = (1, 2)  # steps of the differences; the public code


def _convolution(
    inputs: int, outputs: int, kernel: tuple[int, int, int], stride: int | tuple[int, int, int] = 1
) -> nn.Module:
    """Convolution without biases that keeps the size at stride 1, and its batch normalization."""
    padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    conv = nn.Conv3d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(outputs))


def running_maximum(x: Tensor, window: int) -> Tensor:
    """Return the maximum of x (B,C,T,H,W) over `window` steps around each, T kept.

    An even window reaches one step further ahead than back.

    Examples:
        >>> x = torch.tensor([1.0, 4.0, 2.0, 0.0, 3.0]).view(1, 1, 5, 1, 1)
        >>> running_maximum(x, 2).flatten().tolist()
        [4.0, 4.0, 2.0, 3.0, 3.0]
    """
    back = (window - 1) // 2
    padded = F.pad(x, (0, 0, 0, 0, back, window - 1 - back), value=-torch.inf)
    return F.max_pool3d(padded, (window, 1, 1), stride=1)


def difference(x: Tensor, lag: int) -> Tensor:
    """Return |x[t + lag] - x[t]| of x (B,C,T,H,W), with zeros behind the end.

    Examples:
        >>> difference(torch.tensor([1.0, 4.0, 2.0]).view(1, 1, 3, 1, 1), 1).flatten().tolist()
        [3.0, 2.0, 2.0]
    """
    ahead = F.pad(x, (0, 0, 0, 0, 0, lag))[:, :, lag:]
    return (ahead - x).abs()


class _Cell(nn.Module):
    """relu(shortcut + mix(relu(maxima + differences))), each side a join of branches relu(conv 1 x 3 x 3)."""

    def __init__(self, *, inputs: int, outputs: int, windows: Sequence[int], stride: int) -> None:
        super().__init__()
        self.windows = tuple(windows)
        spatial, point = (1, 3, 3), (1, 1, 1)
        self.maxima = nn.ModuleList(_convolution(inputs, outputs, spatial) for _ in windows)
        self.differences = nn.ModuleList(_convolution(inputs, outputs, spatial) for _ in LAGS)
        self.join_maxima = _convolution(len(windows) * outputs, outputs, point, stride)
        self.join_differences = _convolution(len(LAGS) * outputs, outputs, point, stride)
        self.mix = _convolution(outputs, outputs, point)
        self.shortcut = _convolution(inputs, outputs, point, stride)

    def forward(self, x: Tensor) -> Tensor:
        smooth = [
            branch(running_maximum(x, window)).relu()
            for branch, window in zip(self.maxima, self.windows, strict=True)
        ]
        sudden = [
            branch(difference(x, lag)).relu() for branch, lag in zip(self.differences, LAGS, strict=True)
        ]
        both = self.join_maxima(torch.cat(smooth, 1)) + self.join_differences(torch.cat(sudden, 1))
        out: Tensor = (self.mix(both.relu()) + self.shortcut(x)).relu()
        return out


def _cells(
    *, inputs: int, widths: Sequence[int], cells: Sequence[int], windows: Sequence[int]
) -> nn.Sequential:
    """All stages, cell by cell; the windows shrink behind the first cell of each stage but the first."""
    parts: list[nn.Module] = []
    for stage, (width, count) in enumerate(zip(widths, cells, strict=True)):
        for cell in range(count):
            strided = stage > 0 and cell == 0
            shrunk = stage - strided
            lengths = [max(window - shrunk, 1) for window in windows]
            parts.append(_Cell(inputs=inputs, outputs=width, windows=lengths, stride=2 if strided else 1))
            inputs = width
    return nn.Sequential(*parts)


class MDNTrunk(nn.Module):
    """Frames (B,T,3,H,W) -> tokens (B,T',D), T' about T/16: one for the published 16 frames.

    Unreal frames are replaced by the last real one, as in `VideoTrunk`: their content never matters, but
    padding a clip changes its tokens slightly. It is a borrowed network and keeps its batch normalization.

    Args:
        dim: width of the tokens; None keeps the width of the last stage.
        stem: channels of the first convolution.
        widths: channels of each stage.
        cells: how many cells each stage has: `CELLS_152`, or `CELLS_50` for a network of 50 layers.
        windows: steps of the maxima in the first stage.
        mmp: MMP by channels, put on the last maps; not part of MDN.

    Raises:
        ValueError: not as many widths as numbers of cells, or a stage or a window without any.

    Examples:
        >>> trunk = MDNTrunk(stem=8, widths=(4, 8), cells=(1, 1))
        >>> trunk(torch.randn(1, 8, 3, 32, 32), torch.ones(1, 8, dtype=torch.bool)).shape
        torch.Size([1, 2, 8])
    """

    def __init__(
        self,
        *,
        dim: int | None = None,
        stem: int = STEM,
        widths: Sequence[int] = WIDTHS,
        cells: Sequence[int] = CELLS_152,
        windows: Sequence[int] = WINDOWS,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if len(widths) != len(cells) or min(cells, default=0) < 1 or min(windows, default=0) < 1:
            raise ValueError(
                f"widths={list(widths)}, cells={list(cells)}, windows={list(windows)}: give a width and a "
                "number of cells for each stage, and windows of one step or more"
            )
        self.stem = _convolution(3, stem, (7, 7, 7), (1, 2, 2))
        self.halve = nn.MaxPool3d(3, stride=2, padding=1)
        self.stages = _cells(inputs=stem, widths=widths, cells=cells, windows=windows)
        self.motion = mmp(widths[-1]) if mmp is not None else None
        self.dim = widths[-1] if dim is None else dim
        self.project = nn.Identity() if dim is None else nn.Linear(widths[-1], dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map frames under their mask (B,T) to tokens (B,T',D); tokens of unreal steps are zero."""
        maps = self.halve(self.stem(hold_last(x, mask).transpose(1, 2)).relu())
        maps = self.stages(maps).transpose(1, 2)  # (B,T',C,H',W')
        steps = token_mask(mask, maps.shape[1])
        if self.motion is not None:
            maps = self.motion(maps, steps)
        return zero_masked(self.project(maps.mean((-2, -1))), steps)
