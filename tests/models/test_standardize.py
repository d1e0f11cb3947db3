import pytest
import torch
from torch import nn

from models.standardize import Standardize, set_statistics

MASK = torch.ones(2, 4, dtype=torch.bool)


def test_standardizes_by_the_stored_statistics_and_keeps_padding_at_zero():
    module = Standardize(channels=2)
    module.set_statistics({"series_mean": torch.tensor([1.0, 2.0]), "series_std": torch.tensor([2.0, 0.0])})
    mask = MASK.clone()
    mask[1, 3] = False
    out = module(torch.full((2, 4, 2), 5.0), mask)
    assert out[0, 0].tolist() == [2.0, 3.0]  # a constant channel is centered only
    assert out[1, 3].tolist() == [0.0, 0.0]


def test_identity_before_statistics_and_survives_the_checkpoint():
    module, loaded = Standardize(channels=1), Standardize(channels=1)
    x = torch.randn(2, 4, 1)
    assert torch.equal(module(x, MASK), x)
    module.set_statistics({"series_mean": torch.ones(1), "series_std": torch.ones(1)})
    loaded.load_state_dict(module.state_dict())
    assert torch.equal(loaded(x, MASK), x - 1)


@pytest.mark.parametrize(
    ("stats", "match"),
    [
        ({}, "channels"),
        (
            {"series_mean": torch.zeros(3), "series_std": torch.ones(3)},
            r"set data\.channels=3",
        ),
        ({"series_mean": torch.tensor([torch.nan, 0.0]), "series_std": torch.ones(2)}, "not finite"),
    ],
)
def test_wrong_statistics_are_refused(stats, match):
    with pytest.raises(ValueError, match=match):
        Standardize(channels=2).set_statistics(stats)


def test_every_part_with_statistics_gets_them():
    network = nn.ModuleDict({"a": Standardize(channels=1), "b": nn.Sequential(Standardize(channels=1))})
    set_statistics(network, {"series_mean": torch.full((1,), 3.0), "series_std": torch.ones(1)})
    assert network["a"].mean == network["b"][0].mean == 3.0
