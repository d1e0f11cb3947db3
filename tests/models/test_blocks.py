"""Blocks stand in the order of the network, and hold each parameter of a backbone once."""

import pytest
import timm
import torch
from torch import nn
from torchvision.models import get_model

from models.blocks import blocks_of, in_order, parameters_of, trunks
from models.trunks.frames import FramesTrunk
from models.trunks.pixels import PixelTrunk
from models.trunks.video import VideoTrunk
from models.zoo.sequence.tcn import TCNTrunk


def features(name):
    return timm.create_model(name, features_only=True, out_indices=(-1,))


# by how many blocks: stem + residual blocks, stem + layers, ...
COUNTS = {
    "resnet10t": (features, 1 + 4),
    "resnet18": (features, 1 + 8),
    "vit_tiny_patch16_224": (features, 1 + 12),
    "convnext_atto": (features, 1 + 4),
    "tf_efficientnet_lite0": (features, 1 + 16),
    "swin_tiny_patch4_window7_224": (features, 1 + 4),
    "mc3_18": (get_model, 1 + 8 + 0),
    "swin3d_t": (get_model, 1 + 12 + 3),
    "mvit_v2_s": (get_model, 1 + 16),
}


@pytest.mark.parametrize("name", COUNTS)
def test_every_parameter_of_a_backbone_is_in_one_block(name):
    make, count = COUNTS[name]
    with torch.device("meta"):
        backbone = make(name)
    blocks = in_order(backbone)
    held = [id(parameter) for block in blocks for parameter in parameters_of(block)]
    assert sorted(held) == sorted(map(id, backbone.parameters()))
    assert len(blocks) == count


@pytest.mark.parametrize("backbone", ["resnet10t", "convnext_atto"])
def test_blocks_stand_in_the_order_in_which_they_run(backbone):
    trunk = FramesTrunk(backbone=backbone, dim=8, stages=(-1,))
    order = []
    for number, block in enumerate(blocks_of(trunk)):
        modules = [part for part in block if isinstance(part, nn.Module)]
        modules[0].register_forward_hook(lambda *_, number=number: order.append(number))
    trunk(torch.randn(1, 1, 3, 64, 64), torch.ones(1, 1, dtype=torch.bool))
    assert order == list(range(len(blocks_of(trunk))))


def test_readouts_and_projections_are_in_no_block():
    trunk = VideoTrunk(backbone="mc3_18", dim=8)
    held = {id(parameter) for block in trunk.blocks() for parameter in parameters_of(block)}
    assert {name for name, one in trunk.named_parameters() if id(one) not in held} == {
        "project.weight", "project.bias",
    }  # fmt: skip


def test_a_trunk_that_says_nothing_is_one_block_and_trunks_are_found_by_name():
    trunk = PixelTrunk(dim=8)
    assert blocks_of(trunk) == [[trunk]]
    network = nn.ModuleDict({"depression": nn.ModuleDict({"trunk": trunk}), "head": nn.Linear(2, 2)})
    assert trunks(network) == [trunk]


def test_a_trunk_with_a_list_of_layers_of_that_name_is_one_block():
    trunk = TCNTrunk(channels=2, stem=(8,), widths=(8, 8), dim=8)
    assert isinstance(trunk.blocks, nn.ModuleList)
    assert blocks_of(trunk) == [[trunk]]
