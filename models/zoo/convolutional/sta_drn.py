"""STA-DRN: a 3-D residual network with attention over time and space, rebuilt from paper and public code.

| choice | source |
|---|---|
| attention vectors over time and over space, fused before they weigh the features | Pan et al. 2024 |
| modules stacked like a ResNet | Pan et al. 2024 |
| bottlenecks of 16, 32, 64, 128 channels, four times as many outside, 4 of each | public code |
| two convolutions in 2 groups instead of one; a softmax over the groups makes each attention | public code |
| stem 7^3 of 64 with strides 1, 2, 2, then maxima over 3^3 with strides 1, 2, 2 | public code |
| the last three stages halve time and space; their shortcut is a 3^3 convolution | public code |
| one group: sigmoids instead of the softmax | public code |
| tokens: the mean over space of each step left; the mean over time is the network's | ours |
| unreal frames held, a last linear map to `dim`, MMP on the last maps | ours |

The paper reports no number of parameters that we could read; this network has 7.8 M. Published are 64 frames
of 224 x 224, every third of the video, labels divided by 63 and Adam at 1e-6.

Source: Y. Pan, Y. Shang, T. Liu, Z. Shao, G. Guo, H. Ding, Q. Hu, "Spatial-temporal attention network for
depression recognition from facial videos", Expert Systems with Applications 237, 121410, 2024.
"""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from models.masking import hold_last, token_mask, zero_masked

STEM = 64  # channels, and below widths, blocks and groups: the public code
WIDTHS = (16, 32, 64, 128)
BLOCKS = (4, 4, 4, 4)
GROUPS = 2
_EXPANSION = 4
_STRIDE = (1, 2, 2)


def _convolution(
    inputs: int, outputs: int, kernel: int, *, stride: int | tuple[int, int, int] = 1
) -> nn.Sequential:
    """Convolution without biases that keeps the size at stride 1, and its batch normalization."""
    conv = nn.Conv3d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(outputs))


class _View(nn.Module):
    """Features and the attention over the groups of their channels, pooled over some dimensions."""

    def __init__(self, *, width: int, groups: int, stride: int, pooled: tuple[int, ...]) -> None:
        super().__init__()
        self.groups, self.pooled = groups, pooled
        self.features = nn.Sequential(
            nn.Conv3d(width, width, 3, stride=stride, padding=1, groups=groups),
            nn.BatchNorm3d(width),
            nn.ReLU(),
        )
        self.attend = nn.Conv3d(width, width, 1, groups=groups)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features: Tensor = self.features(x)
        logits = self.attend(features.mean(self.pooled, keepdim=True))
        if self.groups == 1:
            return features, logits.sigmoid()
        return features, logits.unflatten(1, (self.groups, -1)).softmax(1).flatten(1, 2)


class SpatialTemporalAttention(nn.Module):
    """STA: a_s * a_t * (f_s + f_t), maps (B,C,T,H,W); f are grouped 3-D convolutions of the maps.

    a_t is made of the mean of f_t over space, a_s of the mean of f_s over time, both by a softmax over the
    groups of channels: at each step, and at each pixel, channel c of one group competes with channel c of
    the others.
    """

    def __init__(self, *, width: int, groups: int, stride: int = 1) -> None:
        super().__init__()
        self.in_time = _View(width=width, groups=groups, stride=stride, pooled=(3, 4))
        self.in_space = _View(width=width, groups=groups, stride=stride, pooled=(2,))

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighed features."""
        temporal, over_time = self.in_time(x)
        spatial, over_space = self.in_space(x)
        out: Tensor = over_space * over_time * (spatial + temporal)
        return out


class _Bottleneck(nn.Module):
    """relu(shortcut + out(relu(norm(attention(relu(in(x)))))."""

    def __init__(self, *, inputs: int, width: int, groups: int, stride: int) -> None:
        super().__init__()
        outputs = _EXPANSION * width
        self.enter = _convolution(inputs, width, 1)
        self.attention = SpatialTemporalAttention(width=width, groups=groups, stride=stride)
        self.norm = nn.BatchNorm3d(width)
        self.leave = _convolution(width, outputs, 1)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else _convolution(inputs, outputs, 3, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norm(self.attention(self.enter(x).relu())).relu()
        out: Tensor = (self.leave(inner) + self.shortcut(x)).relu()
        return out


def _stages(*, inputs: int, widths: Sequence[int], blocks: Sequence[int], groups: int) -> nn.Sequential:
    """All bottlenecks; every stage but the first starts with a strided one."""
    parts: list[nn.Module] = []
    for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            parts.append(_Bottleneck(inputs=inputs, width=width, groups=groups, stride=stride))
            inputs = _EXPANSION * width
    return nn.Sequential(*parts)


class STADRNTrunk(nn.Module):
    """Frames (B,T,3,H,W) -> tokens (B,T',D), T' about T/8.

    Unreal frames are replaced by the last real one, as in `VideoTrunk`: their content never matters, but
    padding a clip changes its tokens slightly. It is a borrowed network and keeps its batch normalization.

    Args:
        dim: width of the tokens; None keeps that of the last stage, four times its width.
        stem: channels of the first convolution.
        widths: channels inside the bottlenecks of each stage, multiples of `groups`.
        blocks: how many bottlenecks each stage has.
        groups: of channels, which the attention chooses from.
        mmp: MMP by channels, put on the last maps; not part of STA-DRN.

    Raises:
        ValueError: not as many widths as numbers of blocks, or a width that the groups cannot share.

    Examples:
        >>> import torch
        >>> trunk = STADRNTrunk(stem=8, widths=(4, 8), blocks=(1, 1))
        >>> trunk(torch.randn(1, 4, 3, 32, 32), torch.ones(1, 4, dtype=torch.bool)).shape
        torch.Size([1, 2, 32])
    """

    def __init__(
        self,
        *,
        dim: int | None = None,
        stem: int = STEM,
        widths: Sequence[int] = WIDTHS,
        blocks: Sequence[int] = BLOCKS,
        groups: int = GROUPS,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if len(widths) != len(blocks) or not widths or min(blocks) < 1:
            raise ValueError(
                f"widths={list(widths)}, blocks={list(blocks)}: give a width and a number of blocks for each "
                "stage"
            )
        if groups < 1 or any(width % groups for width in widths):
            raise ValueError(
                f"widths={list(widths)} cannot be shared by groups={groups}: use multiples of it"
            )
        self.stem = _convolution(3, stem, 7, stride=_STRIDE)
        self.halve = nn.MaxPool3d(3, stride=_STRIDE, padding=1)
        self.stages = _stages(inputs=stem, widths=widths, blocks=blocks, groups=groups)
        width = _EXPANSION * widths[-1]
        self.motion = mmp(width) if mmp is not None else None
        self.dim = width if dim is None else dim
        self.project = nn.Identity() if dim is None else nn.Linear(width, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map frames under their mask (B,T) to tokens (B,T',D); tokens of unreal steps are zero."""
        maps = self.stages(self.halve(self.stem(hold_last(x, mask).transpose(1, 2)).relu()))
        maps = maps.transpose(1, 2)  # (B,T',C,H',W')
        steps = token_mask(mask, maps.shape[1])
        if self.motion is not None:
            maps = self.motion(maps, steps)
        return zero_masked(self.project(maps.mean((-2, -1))), steps)
