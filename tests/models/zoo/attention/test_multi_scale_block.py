import pytest
import torch
from torch import nn
from torch.nn import functional as F

from models.zoo.attention.multi_scale_block import MultiScaleAttention, MultiScaleBlock


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_the_attention_is_that_of_torch_beside_the_local_features():
    module = MultiScaleAttention(width=8, heads=2, dropout=0.0).eval()
    x = torch.randn(2, 8, 2, 3, 3)
    maps = [module.query(x), module.key(F.pad(x, (1, 0) * 3)), module.value(x)]
    q, k, v = (part.flatten(2).view(2, 2, 4, 18).transpose(2, 3) for part in maps)  # (B,heads,N,w)
    attended = F.scaled_dot_product_attention(q, k, v, scale=1.0)
    local = torch.zeros_like(attended)
    parts = (q, k, v)
    for channel in range(4):
        for run in range(3):
            source, which = divmod(run * 4 + channel, 3)  # of the row q1 k1 v1 q2 k2 v2 ...
            local[..., channel] += parts[which][..., source] / 3
    expected = (attended + local).transpose(2, 3).reshape(2, 8, 2, 3, 3)
    assert torch.allclose(module(x), expected, atol=1e-5)


def test_a_head_of_eight_takes_one_of_each_scale_for_every_channel():
    entries = [[(run * 8 + channel) % 3 for run in range(3)] for channel in range(8)]
    assert all(sorted(scales) == [0, 1, 2] for scales in entries)  # as published: 32 channels, 4 heads


def test_an_aggregation_without_weights_repeats_each_channel_three_times():
    block = MultiScaleBlock(width=6, heads=2, dropout=0.0)
    for parameter in block.aggregation.parameters():
        nn.init.zeros_(parameter)
    x = torch.randn(1, 6, 2, 3, 3)
    triples = torch.stack([x[:, 0:3].mean(1), x[:, 3:6].mean(1)], 1)  # x is joined with itself twice
    assert torch.allclose(block.aggregation(x), torch.cat((triples, triples, triples), 1), atol=1e-6)


def test_the_gate_starts_at_a_half():
    block = MultiScaleBlock(width=8, heads=2, dropout=0.0)
    normal = block.gate_norm(torch.randn(1, 8, 2, 3, 3))
    assert torch.allclose(block.gate(normal), normal / 2, atol=1e-5)


def test_a_convolution_of_two_looks_back():
    block = MultiScaleBlock(width=8, heads=2, dropout=0.0)
    x = torch.randn(1, 1, 4, 4, 4, requires_grad=True)
    gate = block.gate
    nn.init.zeros_(gate.large.weight)
    nn.init.zeros_(gate.point.weight)
    gate(x)[0, 0, 2, 2, 2].backward()
    seen = x.grad[0, 0].nonzero()
    assert seen.amin(0).tolist() == [1, 1, 1]
    assert seen.amax(0).tolist() == [2, 2, 2]
