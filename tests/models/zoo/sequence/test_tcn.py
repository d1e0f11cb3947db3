"""The temporal convolutional network against plain layers of torch; how far it sees; what padding does."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from models.zoo.sequence.tcn import TCNTrunk

SMALL = {"channels": 3, "stem": (4, 5, 6), "widths": (6, 6, 6, 8), "dim": 7}


def all_real(x):
    return torch.ones(x.shape[:2], dtype=torch.bool)


@torch.no_grad()
def test_without_padding_it_is_made_of_the_layers_of_torch():
    trunk = TCNTrunk(**SMALL).eval()
    x = torch.randn(2, 40, 3)
    rows = x.transpose(1, 2)
    for halving in trunk.stem:
        norm = nn.BatchNorm1d(halving.conv.out_channels).eval()
        norm.load_state_dict(halving.norm.state_dict())
        rows = F.max_pool1d(norm(F.conv1d(rows, halving.conv.weight, halving.conv.bias, padding=1)).relu(), 2)
    for block, dilation in zip(trunk.blocks, (2, 4, 8, 16), strict=True):
        holes = {"padding": dilation, "dilation": dilation}
        inner = F.conv1d(rows, block.first.weight, block.first.bias, **holes).relu()
        rows = (
            F.conv1d(inner, block.second.weight, block.second.bias, **holes) + block.shortcut(rows)
        ).relu()
    expected = trunk.project(rows.transpose(1, 2))
    assert torch.allclose(trunk(x, all_real(x)), expected, atol=1e-6)


def test_a_token_sees_982_steps_around_it():
    # blocks: 2 convolutions of +- d each, d = 2 + 4 + 8 + 16, on tokens of 8 steps; below them 22 steps
    trunk = TCNTrunk(channels=1, stem=(1, 1, 1), widths=(1, 1, 1, 1), dim=1).eval()
    for parameter in trunk.parameters():
        nn.init.constant_(parameter, 0.5)
    x = torch.rand(64, 1200, 1, requires_grad=True)  # many rows: a maximum has the gradient of one step
    trunk(x, all_real(x))[:, 75].sum().backward()
    seen = x.grad.abs().sum((0, 2)).nonzero().flatten()
    assert len(seen) == seen[-1] - seen[0] + 1 == 8 * 2 * 2 * (2 + 4 + 8 + 16) + 22 == 982
    assert seen[0] + seen[-1] == 2 * (8 * 75) + 7  # centered on the eight steps of the token


@pytest.mark.parametrize("steps", [1, 2, 7, 8, 9, 12, 16, 19])
def test_padding_changes_no_token(steps):
    trunk = TCNTrunk(**SMALL).eval()
    x = torch.randn(2, steps, 3)
    padded = F.pad(x, (0, 0, 0, 40 - steps), value=torch.nan)
    with torch.no_grad():
        tokens = trunk(padded, torch.arange(40).expand(2, 40) < steps)
        alone = trunk(x, all_real(x))
    assert tokens.shape == (2, 5, 7)
    assert alone.shape[1] == -(-steps // 8)
    assert torch.allclose(tokens[:, : alone.shape[1]], alone, atol=1e-6)
    assert tokens[:, alone.shape[1] :].abs().sum() == 0


def test_padding_is_not_in_the_statistics_of_training():
    x = torch.randn(3, 16, 3)
    plain, padded = TCNTrunk(**SMALL, dropout=0.0), TCNTrunk(**SMALL, dropout=0.0)
    padded.load_state_dict(plain.state_dict())
    tokens = plain(x, all_real(x))
    more = padded(F.pad(x, (0, 0, 0, 24), value=9.0), torch.arange(40).expand(3, 40) < 16)
    assert torch.allclose(more[:, :2], tokens, atol=1e-5)
    for name, value in plain.state_dict().items():
        assert torch.allclose(value, padded.state_dict()[name], atol=1e-6), name


def test_the_size_of_the_public_code_counted_by_hand():
    with torch.device("meta"):
        trunk = TCNTrunk(channels=171)
    stem = sum(3 * a * b + b + 2 * b for a, b in ((171, 32), (32, 64), (64, 128)))
    inner = 6 * (3 * 128 * 128 + 128)
    last = (3 * 128 * 256 + 256) + (3 * 256 * 256 + 256) + (128 * 256 + 256)
    tokens = 256 * 128 + 128
    assert sum(p.numel() for p in trunk.parameters()) == stem + inner + last + tokens == 704_832


def test_a_network_without_layers_is_refused():
    with pytest.raises(ValueError, match=r"stem=\[\]"):
        TCNTrunk(channels=3, stem=())
    with pytest.raises(ValueError, match=r"widths=\[\]"):
        TCNTrunk(channels=3, widths=())
