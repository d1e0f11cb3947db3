"""torchvision's 2-D ResNets, stage by stage: what networks of others on frames stand on."""

from torch import Tensor, nn
from torchvision.models import get_model

from models.trunks.torchvision_weights import take
from models.weights.record import Expects, WeightsRecord

_WIDTHS = (64, 128, 256, 512)
_EXPANSION = {"resnet18": 1, "resnet34": 1, "resnet50": 4, "resnet101": 4, "resnet152": 4}


class ResNetStages(nn.Module):
    """Pictures (N,3,H,W) -> the maps (N,C,H',W') of the four stages of a ResNet, fine to coarse.

    Args:
        backbone: torchvision name: resnet18, resnet34, resnet50, resnet101 or resnet152.
        weights: null begins at random; `pretrained` takes torchvision's (ImageNet); else a file or an id of
            the hub, see `models.weights.locate.locate`.
        weights_sha256: what the digest of the file should be, or how it should begin.

    Raises:
        ValueError: torchvision has no plain ResNet of that name.

    Examples:
        >>> import torch
        >>> [tuple(maps.shape[1:]) for maps in ResNetStages(backbone="resnet18")(torch.randn(1, 3, 64, 64))]
        [(64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)]
    """

    def __init__(
        self, *, backbone: str, weights: str | None = None, weights_sha256: str | None = None
    ) -> None:
        super().__init__()
        if backbone not in _EXPANSION:
            raise ValueError(
                f"backbone={backbone!r} is no ResNet with four stages: use {', '.join(_EXPANSION)}"
            )
        network = get_model(backbone, weights=None)
        self.pretrained: WeightsRecord | None = None
        self.expects = Expects()
        if weights is not None:
            self.pretrained, self.expects = take(network, backbone, weights, sha256=weights_sha256)
        self.stem = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
        self.stages = nn.ModuleList([network.layer1, network.layer2, network.layer3, network.layer4])
        self.channels = tuple(_EXPANSION[backbone] * width for width in _WIDTHS)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps of all stages."""
        maps, levels = self.stem(x), []
        for stage in self.stages:
            maps = stage(maps)
            levels.append(maps)
        return levels
