"""LI-FPN-like: learn-and-imitate maps and a spatial pyramid, rebuilt from a description of public code.

| choice | source |
|---|---|
| ResNet-18 per frame, `Imitation` after each of its four stages (form "g") | public code |
| neck of 3 x 3 convolutions, GELU, pooling by 2 that joins the stages | public code |
| weights of frames and of levels by how far their decisions are from the first class | public code |
| levels added up through 1 x 1 convolutions, pooling, GELU; mean over space | public code |
| only the main output trains, the decisions learn through the weights | public code: its loss |
| one linear decision for all frames, so that clips have any length; published: one for each of 7 | ours |
| pooling rounds up, so that sizes that are not a multiple of 32 work | ours |
| sums and weights over real frames; a last linear map to `dim` | ours |
| left out: form "s" (one convolution per position), the regression form, the level and frame outputs | ours |

All frames of a clip are summed before the pyramid, so a clip gives one token and attention over time has
nothing to choose from: the trunk is made for baselines (`MeanPool`).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.masking import silence, token_mask, zero_masked
from models.zoo.resnet_stages import ResNetStages

CLASSES = 2  # of the inner decisions; the public code has as many as the task
_CHANNELS = (64, 128, 256, 512)  # of the stages of a ResNet-18


class Imitation(nn.Module):
    """LIM: x_t * sigmoid(conv3x3(sum over t of x_t)), the sum over real frames; maps (B,T,C,H,W)."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the maps under what all real frames of the clip share."""
        shared: Tensor = self.conv(silence(x, mask).sum(1)).sigmoid()
        return x * shared.unsqueeze(1)


def decision_weights(logits: Tensor, mask: Tensor) -> Tensor:
    """Weights (B,N) of N decisions (B,N,K): softmax over N of sum_k |p_k - p_0|, p the softmax over K.

    Entries outside the mask (B,N) weigh nothing; a row without any entry has no weights at all.
    """
    p = logits.float().softmax(-1)
    far = (p - p[..., :1]).abs().sum(-1)
    weights = far.masked_fill(~mask, torch.finfo(far.dtype).min).softmax(1)  # finite: gradients stay so
    return weights.masked_fill(~mask, 0.0)  # also where the softmax had nothing to share


def _down(inputs: int, outputs: int, *, kernel: int, layers: Sequence[nn.Module]) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), *layers)


def _half() -> nn.MaxPool2d:
    return nn.MaxPool2d(2, ceil_mode=True)  # as the strided convolutions of a ResNet round


class LIFPNTrunk(nn.Module):
    """Frames (B,T,3,H,W) -> one token (B,1,D); padding a clip does not change it.

    Args:
        dim: width of the token; None keeps the 512 of the last stage.
        backbone: torchvision ResNet with basic blocks: resnet18 or resnet34.
        weights: null begins at random; `pretrained` takes torchvision's (ImageNet); else a file or an id of
            the hub, see `models.weights.locate.locate`.
        weights_sha256: what the digest of the file should be, or how it should begin.
        classes: K of the inner decisions that weigh frames and levels, at least 2.
        mmp: None, as one token has no motion; here because every trunk takes it.

    Raises:
        ValueError: a backbone without these stages, too few classes, or an MMP.

    Examples:
        >>> trunk = LIFPNTrunk(dim=16)
        >>> trunk(torch.randn(1, 7, 3, 32, 32), torch.ones(1, 7, dtype=torch.bool)).shape
        torch.Size([1, 1, 16])
    """

    def __init__(
        self,
        *,
        dim: int | None = None,
        backbone: str = "resnet18",
        weights: str | None = None,
        weights_sha256: str | None = None,
        classes: int = CLASSES,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if mmp is not None:
            raise ValueError("LI-FPN makes one token of a clip, which has no motion for MMP: model/mmp=none")
        if backbone not in ("resnet18", "resnet34"):
            raise ValueError(f"backbone={backbone!r}: LI-FPN reads the stages of resnet18 or resnet34")
        if classes < 2:
            raise ValueError(f"classes={classes}: how far a decision is from the first class needs 2 or more")
        self.backbone = ResNetStages(backbone=backbone, weights=weights, weights_sha256=weights_sha256)
        self.pretrained, self.expects = self.backbone.pretrained, self.backbone.expects
        self.imitations = nn.ModuleList(Imitation(channels=width) for width in _CHANNELS)
        steps = list(pairwise(_CHANNELS))
        self.neck = nn.ModuleList(_down(a, b, kernel=3, layers=(nn.GELU(), _half())) for a, b in steps)
        self.pyramid = nn.ModuleList(_down(a, b, kernel=1, layers=(_half(), nn.GELU())) for a, b in steps)
        self.frame_decision = nn.Linear(_CHANNELS[-1], classes)
        self.level_decisions = nn.ModuleList(nn.Linear(width, classes) for width in _CHANNELS)
        self.dim = _CHANNELS[-1] if dim is None else dim
        self.project = nn.Identity() if dim is None else nn.Linear(_CHANNELS[-1], dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map frames under their mask (B,T) to tokens (B,1,D); zero where no frame is real."""
        levels = self._levels(zero_masked(x, mask), mask)
        weights = self._frame_weights(levels, mask)
        pooled = [torch.einsum("bt,btchw->bchw", weights.to(maps.dtype), maps) for maps in levels]
        token = self.project(self._fused(pooled).mean((-2, -1))).unsqueeze(1)
        return zero_masked(token, token_mask(mask, 1))

    def _levels(self, x: Tensor, mask: Tensor) -> list[Tensor]:
        """Maps (B,T,C,H,W) of the four stages, each after its imitation and read by the next stage."""
        maps, levels = self.backbone.stem(x.flatten(0, 1)), []
        for stage, imitation in zip(self.backbone.stages, self.imitations, strict=True):
            levels.append(imitation(stage(maps).unflatten(0, mask.shape), mask))
            maps = levels[-1].flatten(0, 1)
        return levels

    def _frame_weights(self, levels: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Weights (B,T) of the frames, from decisions on the neck."""
        maps = levels[0].flatten(0, 1)
        for down, level in zip(self.neck, levels[1:], strict=True):
            maps = down(maps) + level.flatten(0, 1)
        return decision_weights(self.frame_decision(maps.mean((-2, -1))).unflatten(0, mask.shape), mask)

    def _fused(self, pooled: Sequence[Tensor]) -> Tensor:
        """Maps (B,512,H,W): the levels by their weights, the fine ones added to the coarse."""
        decisions = [
            decide(maps.mean((-2, -1))) for decide, maps in zip(self.level_decisions, pooled, strict=True)
        ]
        logits = torch.stack(decisions, 1)  # (B,4,K)
        weights = decision_weights(logits, torch.ones_like(logits[..., 0], dtype=torch.bool))
        scaled = [maps * weights[:, i, None, None, None] for i, maps in enumerate(pooled)]
        fused = scaled[0]
        for down, maps in zip(self.pyramid, scaled[1:], strict=True):
            fused = down(fused) + maps
        return fused
