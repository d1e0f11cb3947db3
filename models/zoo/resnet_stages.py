"""torchvision's 2-D ResNets, stage by stage: what networks of others on frames stand on."""

from torch import Tensor, nn
from torchvision.models import get_model

_WIDTHS = (64, 128, 256, 512)
_EXPANSION = {"resnet18": 1, "resnet34": 1, "resnet50": 4, "resnet101": 4, "resnet152": 4}


class ResNetStages(nn.Module):
    """Pictures (N,3,H,W) -> the maps (N,C,H',W') of the four stages of a ResNet, fine to coarse.

    Args:
        backbone: torchvision name: resnet18, resnet34, resnet50, resnet101 or resnet152.
        pretrained: download torchvision's weights (ImageNet).

    Raises:
        ValueError: torchvision has no plain ResNet of that name.

    Example:
        >>> import torch
        >>> [tuple(maps.shape[1:]) for maps in ResNetStages(backbone="resnet18")(torch.randn(1, 3, 64, 64))]
        [(64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)]
    """

    def __init__(self, *, backbone: str, pretrained: bool = False) -> None:
        super().__init__()
        if backbone not in _EXPANSION:
            raise ValueError(
                f"backbone={backbone!r} is no ResNet with four stages: use {', '.join(_EXPANSION)}"
            )
        network = get_model(backbone, weights="DEFAULT" if pretrained else None)
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
