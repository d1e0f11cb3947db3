"""Frozen, last blocks, low-rank: what learns, what stays, and what opens again."""

import copy

import pytest
import torch
from torch import nn
from torchvision.models.video import SwinTransformer3d

from models.blocks import in_order, parameters_of
from models.trunks.frames import FramesTrunk
from models.trunks.pixels import PixelTrunk
from models.tuning import Freeze, LoRA, LowRank, merge, settle, under_low_rank

ONES = torch.ones(1, 2, dtype=torch.bool)


@pytest.fixture
def resnet():
    torch.manual_seed(0)
    return FramesTrunk(backbone="resnet10t", dim=8)


class Transformer(nn.Module):
    """A trunk of two blocks of torch's own transformer, which reads weights of its layers itself."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, dim_feedforward=32, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.dim, self.readout = 16, nn.Linear(16, 16)

    def blocks(self):
        return in_order(self.layers)

    def forward(self, x):
        return self.readout(self.layers(x))


def trained(module):
    return {name for name, parameter in module.named_parameters() if parameter.requires_grad}


def test_a_frozen_backbone_keeps_weights_and_statistics_while_its_readout_learns(resnet):
    Freeze()(resnet)
    assert trained(resnet) == {n for n, _ in resnet.named_parameters() if n.startswith("readouts")}
    resnet.train()
    settle(resnet)
    assert not resnet.backbone.training
    assert resnet.readouts.training
    before = copy.deepcopy(resnet.state_dict())
    optimizer = torch.optim.SGD([p for p in resnet.parameters() if p.requires_grad], lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        resnet(torch.randn(1, 2, 3, 32, 32), ONES).square().sum().backward()
        optimizer.step()
    moved = {name for name, value in resnet.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {name for name in before if name.startswith("readouts")}


def test_batch_normalization_of_what_is_trained_goes_on_learning(resnet):
    Freeze(last=1)(resnet)
    resnet.train()
    settle(resnet)
    last = resnet.blocks()[-1]
    assert trained(resnet.backbone) == {
        n for n, p in resnet.backbone.named_parameters() if any(p is one for one in parameters_of(last))
    }
    assert resnet.backbone.layer4[0].bn1.training
    assert not resnet.backbone.layer3.training
    assert not resnet.backbone.bn1.training


@pytest.mark.parametrize(
    ("last", "told"), [(-1, "0 or more"), (5, "has 5 blocks, so nothing would be frozen")]
)
def test_numbers_of_blocks_that_freeze_nothing_are_refused(last, told, resnet):
    with pytest.raises(ValueError, match=told):
        Freeze(last=last)(resnet)


def test_a_low_rank_change_starts_at_nothing_and_every_part_of_it_learns():
    torch.manual_seed(1)
    trunk = Transformer().eval()
    x = torch.randn(2, 5, 16)
    plain = trunk(x)
    LoRA(rank=2)(trunk)
    assert torch.allclose(trunk(x), plain, atol=1e-6)
    changes = {n for n, _ in trunk.named_parameters() if n.endswith((".up", ".down"))}
    assert trained(trunk) == changes | {"readout.weight", "readout.bias"}
    assert len(changes) == 2 * 2 * 3  # out_proj, linear1, linear2 of two layers; queries are no linear layer
    for name, parameter in trunk.named_parameters():
        if name.endswith(".up"):
            nn.init.normal_(parameter)
    trunk(x).square().sum().backward()
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0 for n, p in trunk.named_parameters() if n in changes
    )


def test_a_change_is_the_published_product_and_the_merged_network_is_the_same():
    torch.manual_seed(2)
    trunk = Transformer().eval()
    weight = trunk.layers.layers[0].linear1.weight.detach().clone()
    LoRA(rank=3, alpha=6.0)(trunk)
    change = trunk.layers.layers[0].linear1.parametrizations.weight[0]
    assert (change.down.shape, change.up.shape) == ((3, 16), (32, 3))
    for module in trunk.modules():
        if isinstance(module, LowRank):
            nn.init.normal_(module.up)
    expected = weight + 6.0 / 3 * sum(torch.outer(change.up[:, r], change.down[r]) for r in range(3))
    assert torch.allclose(trunk.layers.layers[0].linear1.weight, expected, atol=1e-5)
    x = torch.randn(2, 5, 16)
    adapted = trunk(x)
    merge(trunk)
    assert set(trunk.state_dict()) == set(Transformer().state_dict())
    assert torch.allclose(trunk(x), adapted, atol=1e-5)
    assert torch.allclose(trunk.layers.layers[0].linear1.weight, expected, atol=1e-5)


def test_layers_whose_weights_are_read_from_outside_are_adapted_too():
    """torchvision's Swin hands `qkv.weight` to a function: a layer in its place would never be called."""
    swin = SwinTransformer3d(
        patch_size=[2, 4, 4], embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=[2, 2, 2]
    ).eval()
    swin.blocks = lambda: in_order(swin.features)
    LoRA(rank=2)(swin)
    for name, parameter in swin.named_parameters():
        if name.endswith(".up"):
            nn.init.normal_(parameter)
    swin(torch.randn(1, 3, 4, 16, 16)).sum().backward()
    idle = [n for n, p in swin.named_parameters() if n.endswith((".up", ".down")) and p.grad is None]
    assert idle == []


def test_convolutions_alone_and_impossible_ranks_are_refused():
    with pytest.raises(ValueError, match=r"model/trunk, with its backbone\) have none.*model/tuning=last"):
        LoRA()(FramesTrunk(backbone="resnet10t", dim=8))
    with pytest.raises(ValueError, match="rank=0"):
        LoRA(rank=0)


def test_a_trunk_without_blocks_is_frozen_as_a_whole():
    trunk = PixelTrunk(dim=8)
    Freeze()(trunk)
    assert trained(trunk) == set()


def test_weights_of_a_plain_trunk_go_into_an_adapted_one():
    torch.manual_seed(3)
    plain, adapted = Transformer().eval(), Transformer().eval()
    LoRA(rank=2)(adapted)
    adapted.load_state_dict(under_low_rank(plain.state_dict(), adapted.state_dict()), strict=True)
    x = torch.randn(1, 4, 16)
    assert torch.equal(plain(x), adapted(x))
    state = adapted.state_dict()
    assert under_low_rank(state, state).keys() == state.keys()
    assert under_low_rank(plain.state_dict(), plain.state_dict()).keys() == plain.state_dict().keys()
