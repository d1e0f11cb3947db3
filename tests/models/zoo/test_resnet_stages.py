import pytest
import torch
from torchvision.models import resnet18
from torchvision.models.feature_extraction import create_feature_extractor

from models.zoo.resnet_stages import ResNetStages


def test_the_maps_are_those_of_torchvision():
    torch.manual_seed(0)
    reference = resnet18().eval()
    torch.manual_seed(0)
    ours = ResNetStages(backbone="resnet18").eval()
    names = [f"layer{stage}" for stage in (1, 2, 3, 4)]
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = create_feature_extractor(reference, names)(x)
        found = ours(x)
    assert all(torch.equal(maps, expected[name]) for maps, name in zip(found, names, strict=True))


@pytest.mark.parametrize("backbone", ["resnet34", "resnet50", "resnet152"])
def test_the_widths_are_those_of_the_maps(backbone):
    with torch.device("meta"):
        network = ResNetStages(backbone=backbone)
        maps = network(torch.empty(1, 3, 224, 224))
    assert [level.shape[1] for level in maps] == list(network.channels)
    assert [level.shape[-1] for level in maps] == [56, 28, 14, 7]


def test_another_backbone_is_refused():
    with pytest.raises(ValueError, match=r"'resnext50_32x4d'.*resnet18"):
        ResNetStages(backbone="resnext50_32x4d")
