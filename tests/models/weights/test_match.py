"""Weights of another network are refused with the names of what differs."""

import re

import pytest
import torch

from models.weights.match import check_fit
from models.weights.record import WeightsError


def test_the_very_tensors_fit_and_older_files_without_counters_do_too():
    wanted = {"a": torch.ones(2), "bn.num_batches_tracked": torch.tensor(0)}
    check_fit(wanted, wanted, whose="x")
    check_fit(wanted, {"a": torch.zeros(2)}, whose="x")


def test_every_difference_is_named():
    wanted = {"a": torch.ones(2), "b": torch.ones(3), **{f"c{i}": torch.ones(1) for i in range(6)}}
    with pytest.raises(WeightsError) as stop:
        check_fit(wanted, {"a": torch.ones(5), "z": torch.ones(1)}, whose="w.pth for backbone=net")
    text = str(stop.value)
    assert text.startswith("w.pth for backbone=net: the weights do not fit: 7 missing (b, c0, c1, c2, ...)")
    assert "1 not of this network (z)" in text
    assert "1 of another shape (a (5,) instead of (2,))" in text


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("a", torch.tensor([1.0, torch.nan]), "1 not finite (a)"),
        ("a", torch.tensor([1.0, -torch.inf]), "1 not finite (a)"),
        ("a", torch.tensor([1, 2], dtype=torch.int8), "1 of another kind (a torch.int8)"),
        ("a", torch.ones(2, dtype=torch.complex64), "1 of another kind (a torch.complex64)"),
        ("bn.running_var", torch.tensor([1.0, -0.1]), "1 below 0 (bn.running_var)"),
    ],
)
def test_what_no_training_leaves_behind_is_refused(name, value, told):
    wanted = {"a": torch.ones(2), "bn.running_var": torch.ones(2)}
    check_fit(wanted, {one: tensor.double() for one, tensor in wanted.items()}, whose="x")
    with pytest.raises(WeightsError, match=re.escape(told)):
        check_fit(wanted, wanted | {name: value}, whose="x")
