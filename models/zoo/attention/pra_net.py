"""PRA-Net: the parts of a frame and their relation to the whole, rebuilt from an abstract.

For the features f_i of P parts of the last map of a frame:

    alpha_i = sigmoid(a . f_i)                                  self-attention
    g       = sum_i alpha_i f_i / sum_i alpha_i                 global content
    beta_i  = sigmoid(b . [f_i, g])                             relation of the part to the whole
    v       = sum_i alpha_i beta_i [f_i, g] / sum_i alpha_i beta_i

| choice | source |
|---|---|
| parts are regions of the feature map, not of the picture | Liu et al. 2023, abstract |
| self-attention weighs each part; its relation to the whole refines the weight | Liu et al. 2023, abstract |
| all parts are aggregated with both weights to one vector | Liu et al. 2023, abstract |
| sigmoids of linear maps, the whole as the weighted mean, [f_i, g] aggregated | Meng et al. 2019 |
| a ResNet-18, as Meng et al. have it, and its last stage as the map | ours |
| no dropout; theirs is 0.5 before both weights and 0.6 before the head | ours |
| parts are the means of a grid of 3 x 3 | ours |
| tokens: one for each frame; the mean over time is the network's | ours |
| a last linear map to `dim`, MMP on the last maps | ours |

Layer sizes and numbers of PRA-Net are in no text that we could read; that it weighs parts exactly as Frame
Attention Networks (paper and public code) weigh frames is our reading of its abstract. `PartReadout` of MPDRM
is a relative that keeps apart where a part lies; here, as in the abstract, all parts are added up.

Sources: Z. Liu, X. Yuan, Y. Li, Z. Shangguan, L. Zhou, B. Hu, "PRA-Net: Part-and-Relation Attention Network
for depression recognition from facial expression", Computers in Biology and Medicine 157, 106589, 2023;
D. Meng, X. Peng, K. Wang, Y. Qiao, "Frame Attention Networks for facial expression recognition in videos",
ICIP 2019.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import zero_masked
from models.zoo.resnet_stages import ResNetStages

BACKBONE = "resnet18"  # and the grid: our choice
GRID = 3
_EPS = 1e-6


class PartAndRelation(nn.Module):
    """Features of parts (N,P,C) -> (N,2C), weighed by themselves and by their relation to the whole.

    Args:
        width: C.
    """

    def __init__(self, *, width: int) -> None:
        super().__init__()
        self.attend = nn.Linear(width, 1)
        self.relate = nn.Linear(2 * width, 1)

    def forward(self, parts: Tensor) -> Tensor:
        """Return the aggregated parts, and the whole behind them."""
        alpha = self.attend(parts).sigmoid()  # (N,P,1)
        together = torch.cat((parts, _mean(parts, alpha).unsqueeze(1).expand_as(parts)), -1)
        return _mean(together, alpha * self.relate(together).sigmoid())


def _mean(x: Tensor, weights: Tensor) -> Tensor:
    """Mean over the parts of x (N,P,C) by weights (N,P,1)."""
    return (weights * x).sum(1) / weights.sum(1).clamp_min(_EPS)


class PRANetTrunk(nn.Module):
    """Frames (B,T,3,H,W) -> tokens (B,T,D); padding a clip does not change them.

    It is a borrowed network and keeps the batch normalization of its ResNet.

    Args:
        dim: width of the tokens; None keeps twice the channels of the last stage.
        backbone: torchvision name of a ResNet, resnet18 to resnet152.
        weights: null begins at random; `pretrained` takes torchvision's (ImageNet); else a file or an id of
            the hub, see `models.weights.locate.locate`.
        weights_sha256: what the digest of the file should be, or how it should begin.
        grid: parts along each side of the map; a map with fewer cells repeats them.
        mmp: MMP by channels, put on the last maps; not part of PRA-Net.

    Raises:
        ValueError: another backbone, or a grid without parts.

    Examples:
        >>> trunk = PRANetTrunk(dim=16)
        >>> trunk(torch.randn(1, 2, 3, 32, 32), torch.ones(1, 2, dtype=torch.bool)).shape
        torch.Size([1, 2, 16])
    """

    def __init__(
        self,
        *,
        dim: int | None = None,
        backbone: str = BACKBONE,
        weights: str | None = None,
        weights_sha256: str | None = None,
        grid: int = GRID,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if grid < 1:
            raise ValueError(f"grid={grid}: PRA-Net needs at least one part; 3 means 3 x 3")
        self.grid = grid
        self.backbone = ResNetStages(backbone=backbone, weights=weights, weights_sha256=weights_sha256)
        self.pretrained, self.expects = self.backbone.pretrained, self.backbone.expects
        channels = self.backbone.channels[-1]
        self.motion = mmp(channels) if mmp is not None else None
        self.relation = PartAndRelation(width=channels)
        self.dim = 2 * channels if dim is None else dim
        self.project = nn.Identity() if dim is None else nn.Linear(2 * channels, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map frames under their mask (B,T) to tokens (B,T,D); tokens of unreal frames are zero."""
        maps = self.backbone(zero_masked(x, mask).flatten(0, 1))[-1]
        if self.motion is not None:
            maps = self.motion(maps.unflatten(0, mask.shape), mask).flatten(0, 1)
        parts = F.adaptive_avg_pool2d(maps, self.grid).flatten(2).transpose(1, 2)  # (BT,P,C)
        tokens = self.project(self.relation(parts)).unflatten(0, mask.shape)
        return zero_masked(tokens, mask)
