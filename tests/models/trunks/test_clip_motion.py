"""Clip motion: linear in motion power and in channel relations, of learned parts where there are many."""

import pytest
import torch
from torch import nn

from models.trunks.channel_relation import channel_relation
from models.trunks.clip_motion import ClipMotion
from models.trunks.motion_power import motion_power

LAGS = (0, 2)


def clips(channels=3):
    mask = torch.ones(6, 40, dtype=torch.bool)
    mask[1, 30:] = False
    return torch.randn(6, 40, channels) * mask[..., None], mask


def motion(channels=3, scales=(1, 2), lags=LAGS, parts=20):
    return ClipMotion(
        channels=channels,
        dim=8,
        power_scales=scales,
        relation_lags=lags,
        relation_step=3,
        relation_parts=parts,
    )


def related(x, mask):
    return 2 * (channel_relation(x, mask, LAGS, step=3) - 0.2)


def test_relations_start_at_nothing_and_add_to_power():
    of, (x, mask) = motion(), clips()
    power = 0.3 * (motion_power(x, mask, (1, 2)) + 3) @ of.power.weight.T
    assert torch.allclose(of(x, mask), power, atol=1e-5)
    nn.init.normal_(of.relation.weight)
    assert torch.allclose(of(x, mask), power + related(x, mask) @ of.relation.weight.T, atol=1e-4)


def test_many_channels_are_related_by_learned_parts():
    of, (x, mask) = motion(channels=30, scales=None, parts=4), clips(channels=30)
    assert of.relation.weight.shape == (8, 4 * 3)
    nn.init.normal_(of.relation.weight)
    assert torch.allclose(of(x, mask), related(of.parts(x), mask) @ of.relation.weight.T, atol=1e-4)
    of(x, mask).square().sum().backward()
    assert of.parts.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("absent", ["power", "relation"])
def test_a_part_that_is_off_is_nothing(absent):
    of = motion(scales=None) if absent == "power" else motion(lags=None)
    assert not [name for name, _ in of.named_parameters() if absent in name]
    assert of(*clips()).shape == (6, 8)
