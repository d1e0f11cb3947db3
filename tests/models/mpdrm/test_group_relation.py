import pytest
import torch
from torch import nn

from models.mpdrm.group_relation import GroupRelation
from models.trunks.series import SeriesTrunk

GROUPS = {"brow": [0, 1], "eyes": [4, 2], "mouth": [3]}


def _trained():
    stem = GroupRelation(channels=5, dim=8, groups=GROUPS)
    for parameter in stem.relation.parameters():
        nn.init.normal_(parameter)
    return stem


def test_it_starts_as_one_linear_map_of_all_channels():
    stem = GroupRelation(channels=5, dim=8, groups=GROUPS)
    nn.init.normal_(stem.bias)
    linear = nn.Linear(5, 8)
    with torch.no_grad():
        linear.bias.copy_(stem.bias)
        for places, group in zip(GROUPS.values(), stem.maps, strict=True):
            linear.weight[:, places] = group.weight
        x = torch.randn(2, 7, 5)
        assert torch.allclose(stem(x), linear(x), atol=1e-5)


def test_it_starts_at_the_scale_of_one_linear_map():
    channels, groups = 60, {str(k): list(range(k, 60, 6)) for k in range(6)}
    stem, x = GroupRelation(channels=channels, dim=256, groups=groups), torch.randn(4, 9, channels)
    spread, expected = (tokens.std().item() for tokens in (stem(x), nn.Linear(channels, 256)(x)))
    assert spread == pytest.approx(expected, rel=0.1)


def test_the_token_is_the_sum_of_weighed_groups():
    stem, x = _trained(), torch.randn(2, 7, 5)
    parts = stem.parts(x)
    weights, _ = stem.relation(parts.reshape(14, 3, 8))
    assert torch.allclose(weights.mean(1), torch.ones(14), atol=1e-5)
    assert weights.std() > 0.1
    for b, t in ((0, 0), (1, 6)):
        own = weights.view(2, 7, 3)[b, t]
        expected = sum(own[k] * stem.maps[k](x[b, t, list(g)]) for k, g in enumerate(GROUPS.values()))
        assert torch.allclose(stem(x)[b, t], expected + stem.bias, atol=1e-5)


def test_a_group_answers_to_the_others():
    """How much the mouth counts depends on what the brow does; a linear stem would add them up."""
    stem, x = _trained(), torch.randn(1, 1, 5)
    mouth, brow = torch.tensor([0, 0, 0, 1.0, 0]), torch.tensor([2.0, 0, 0, 0, 0])
    together = stem(x + mouth + brow) - stem(x + brow)
    assert (together - (stem(x + mouth) - stem(x))).abs().max() > 1e-2


def test_as_the_stem_of_a_trunk_padding_changes_nothing_and_all_learns():
    trunk = SeriesTrunk(channels=5, dim=8)
    trunk.stem = _trained()
    x, mask = torch.randn(2, 12, 5), torch.ones(2, 12, dtype=torch.bool)
    mask[1, -3:] = False
    x[1, -3:] = torch.nan
    tokens = trunk(x, mask)
    assert torch.allclose(tokens[1, :-3], trunk(x[1:, :-3], mask[1:, :-3])[0], atol=1e-5)
    assert tokens[1, -3:].abs().sum() == 0
    tokens.square().sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in trunk.stem.parameters())


@pytest.mark.parametrize(
    ("groups", "fault"),
    [
        ({"all": [0, 1, 2, 3, 4]}, "two groups or more"),
        ({"brow": [0, 1], "mouth": []}, "'mouth' has no channel"),
        ({"brow": [0, 1], "mouth": [2, 3]}, r"missing \[4\]"),
        ({"brow": [0, 1, 2], "mouth": [2, 3, 4]}, r"twice or beyond the last \[2\]"),
        ({"brow": [0, 1, 2], "mouth": [3, 4, 5]}, r"twice or beyond the last \[5\]"),
    ],
)
def test_groups_that_do_not_hold_every_channel_once_are_refused(groups, fault):
    with pytest.raises(ValueError, match=fault):
        GroupRelation(channels=5, dim=8, groups=groups)
