"""DepMGNN: a graph whose nodes are feature maps, rebuilt from the paper's abstract and public code.

Nodes are the maps x_s of the four stages of a ResNet, of one width. The scales of a frame, and at the end
those of the clip, exchange messages through gates as large as the maps (r is resampled to the size of s):

    x_s' = relu(norm(sum over scales r of e_rs * x_r))
    e_rs = sigmoid(conv [x_r, x_s]),  e_ss = sigmoid(conv x_s)

Frames j send to the last real frame i, pixel by pixel at each scale (Bresson & Laurent 2017):

    x_i' = relu(norm(W x_i + sum over j <= i of sigmoid(K x_i + Q x_j) * V x_j + b))

| choice | source |
|---|---|
| nodes and edges are matrices of different shapes, clips have any length | Wu et al. 2025, abstract |
| ResNet-50, its four stages mapped to 256 channels by 1 x 1 convolutions | public code |
| edges between all scales by 3 x 3 convolutions of both ends, of a scale to itself by 1 x 1 | public code |
| maps resampled to the nearest pixel; group normalization in 32 groups | public code |
| edges from each frame to itself and to all later ones; only the last frame is read | public code |
| the scales of that frame exchange messages once more | public code |
| head: 1 x 1 convolution to twice the width, mean over space, scales added by a unit vector | public code |
| last is the last real frame; unreal frames send nothing | ours |
| a last linear map to `dim` | ours |
| left out: heads that train on each scale (weight 0.5), dropout 0.4, VGGFace2 weights | ours |

The paper's number of parameters is in no text that we could read; this network has 55.0 M, 23.5 M of them in
the ResNet. Published are 9 frames of 224 x 224 spread over the video, balanced MSE beside MSE, and SGD at
1e-3 for 200 epochs. A clip gives one token, so attention over time has nothing to choose from: the trunk is
made for baselines.

Source: Z. Wu, L. Zhou, S. Li, C. Fu, J. Lu, J. Han, Y. Zhang, Z. Zhao, S. Song, "DepMGNN: Matrixial Graph
Neural Network for Video-based Automatic Depression Assessment", AAAI 39(2), 1610-1619, 2025.
"""

from collections.abc import Callable, Sequence
from itertools import permutations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import silence, token_mask, zero_masked
from models.zoo.resnet_stages import ResNetStages

BACKBONE = "resnet50"  # and below width and groups: the public code
WIDTH = 256
GROUPS = 32


def _point(inputs: int, outputs: int, groups: int) -> nn.Sequential:
    """1 x 1 convolution without biases, group normalization, ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.GroupNorm(groups, outputs), nn.ReLU())


class ScaleGraph(nn.Module):
    """One exchange between maps of several sizes, (N,C_s,H_s,W_s) each -> (N,width,H_s,W_s) each.

    Args:
        channels: C_s of each scale, fine to coarse.
        width: channels of the nodes.
        groups: of the normalization.
    """

    def __init__(self, *, channels: Sequence[int], width: int, groups: int) -> None:
        super().__init__()
        self.pairs = tuple(permutations(range(len(channels)), 2))  # from, to
        self.enter = nn.ModuleList(_point(inputs, width, groups) for inputs in channels)
        self.stay = nn.ModuleList(nn.Conv2d(width, width, 1, bias=False) for _ in channels)
        self.edges = nn.ModuleList(nn.Conv2d(2 * width, width, 3, padding=1, bias=False) for _ in self.pairs)
        self.norms = nn.ModuleList(nn.GroupNorm(groups, width) for _ in channels)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return the nodes behind the exchange."""
        nodes = [enter(x) for enter, x in zip(self.enter, maps, strict=True)]
        sums = [stay(x).sigmoid() * x for stay, x in zip(self.stay, nodes, strict=True)]
        for (source, target), edge in zip(self.pairs, self.edges, strict=True):
            sent = F.interpolate(nodes[source], nodes[target].shape[-2:])  # the nearest pixel
            gate = edge(torch.cat((sent, nodes[target]), 1)).sigmoid()
            sums[target] = sums[target] + gate * sent
        return [norm(total).relu() for norm, total in zip(self.norms, sums, strict=True)]


class FrameGraph(nn.Module):
    """What the last real frame gathers from all real frames: maps (B,T,C,H,W) -> (B,C,H,W).

    Args:
        width: C.
        groups: of the normalization.
    """

    def __init__(self, *, width: int, groups: int) -> None:
        super().__init__()
        self.enter = _point(width, width, groups)
        self.key, self.query, self.value = (nn.Conv2d(width, width, 1) for _ in range(3))
        self.skip = nn.Conv2d(width, width, 1)  # its bias is that of the sum
        self.norm = nn.GroupNorm(groups, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the node of the last real frame under the mask (B,T)."""
        nodes = self.enter(x.flatten(0, 1)).unflatten(0, mask.shape)
        steps = torch.arange(mask.shape[1], device=mask.device)
        last = nodes[torch.arange(len(mask), device=mask.device), (steps * mask).argmax(1)]
        flat = nodes.flatten(0, 1)
        gate = self.key(last).unsqueeze(1) + self.query(flat).unflatten(0, mask.shape)
        sent = gate.sigmoid() * self.value(flat).unflatten(0, mask.shape)
        out: Tensor = self.norm(self.skip(last) + silence(sent, mask).sum(1)).relu()
        return out


class DepMGNNTrunk(nn.Module):
    """Frames (B,T,3,H,W) -> one token (B,1,D); padding a clip does not change it.

    It is a borrowed network and keeps the batch normalization of its ResNet.

    Args:
        dim: width of the token; None keeps twice that of the nodes.
        backbone: torchvision name of a ResNet, resnet18 to resnet152.
        weights: null begins at random; `pretrained` takes torchvision's (ImageNet); else a file or an id of
            the hub, see `models.weights.locate.locate`.
        weights_sha256: what the digest of the file should be, or how it should begin.
        width: channels of the nodes, a multiple of `groups`.
        groups: of the normalization.
        mmp: None, as one token has no motion; here because every trunk takes it.

    Raises:
        ValueError: another backbone, a width that the groups cannot share, or an MMP.

    Examples:
        >>> trunk = DepMGNNTrunk(dim=16, backbone="resnet18", width=8, groups=2)
        >>> trunk(torch.randn(1, 3, 3, 32, 32), torch.ones(1, 3, dtype=torch.bool)).shape
        torch.Size([1, 1, 16])
    """

    def __init__(
        self,
        *,
        dim: int | None = None,
        backbone: str = BACKBONE,
        weights: str | None = None,
        weights_sha256: str | None = None,
        width: int = WIDTH,
        groups: int = GROUPS,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if mmp is not None:
            raise ValueError("DepMGNN makes one token of a clip, which has no motion for MMP: model/mmp=none")
        if groups < 1 or width % groups:
            raise ValueError(f"width={width} cannot be shared by groups={groups}: use a multiple of it")
        self.backbone = ResNetStages(backbone=backbone, weights=weights, weights_sha256=weights_sha256)
        self.pretrained, self.expects = self.backbone.pretrained, self.backbone.expects
        channels = self.backbone.channels
        self.spatial = ScaleGraph(channels=channels, width=width, groups=groups)
        self.temporal = nn.ModuleList(FrameGraph(width=width, groups=groups) for _ in channels)
        self.joint = ScaleGraph(channels=[width] * len(channels), width=width, groups=groups)
        self.read = _point(width, 2 * width, groups)
        self.scales = nn.Parameter(torch.ones(len(channels)))
        self.dim = 2 * width if dim is None else dim
        self.project = nn.Identity() if dim is None else nn.Linear(2 * width, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map frames under their mask (B,T) to tokens (B,1,D); zero where no frame is real."""
        nodes = self.spatial(self.backbone(zero_masked(x, mask).flatten(0, 1)))
        gathered = [
            graph(maps.unflatten(0, mask.shape), mask)
            for graph, maps in zip(self.temporal, nodes, strict=True)
        ]
        read = torch.stack([self.read(maps).mean((-2, -1)) for maps in self.joint(gathered)], -1)
        token = self.project(read @ F.normalize(self.scales, dim=0)).unsqueeze(1)
        return zero_masked(token, token_mask(mask, 1))
