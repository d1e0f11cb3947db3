import inspect

import pytest
import torch
from torch import nn

from models import inputs

CASES = {
    "Appearance": inputs.Appearance,
    "FrameDifference": inputs.FrameDifference,
    "Levels": lambda: inputs.Levels(channels=5),
    "Delta": lambda: inputs.Delta(channels=5),
    "Tokens": inputs.Tokens,
}


def test_every_input_has_a_case():
    public = {n for n, c in vars(inputs).items() if inspect.isclass(c) and c.__module__ == inputs.__name__}
    assert public - {"Input"} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_same_shape_and_masked_values_change_nothing_real(name, make_batch):
    batch = make_batch(size=8)
    batch["tokens"] = batch["series"]  # of another kind of content, and of the same shape
    key = {"Appearance": "frames", "FrameDifference": "frames", "Tokens": "tokens"}.get(name, "series")
    read: nn.Module = CASES[name]()
    x, mask = read(batch)
    assert x.shape == batch[key].shape
    assert torch.equal(mask, batch["mask"])
    changed = {**batch, key: batch[key].clone()}
    changed[key][~mask] = 50.0
    assert torch.equal(read(changed)[0][mask], x[mask])


@pytest.mark.parametrize("name", ["FrameDifference", "Delta"])
def test_a_constant_added_to_the_clip_disappears(name, make_batch):
    batch = make_batch(size=8)
    read = CASES[name]()
    shifted = {**batch, "frames": batch["frames"] + 3.0, "series": batch["series"] + 3.0}
    x = read(batch)[0]
    assert torch.allclose(read(shifted)[0], x, atol=1e-5)
    assert x[:, 0].abs().sum() == 0
    key = "frames" if name == "FrameDifference" else "series"
    assert torch.allclose(x[0, 3], batch[key][0, 3] - batch[key][0, 2])


def test_no_difference_across_a_gap():
    mask = torch.tensor([[True, False, True, True]])
    x = torch.tensor([[1.0, 9.0, 5.0, 6.0]])[..., None]
    assert inputs.backward_difference(x, mask).flatten().tolist() == [0, 0, 0, 1]


def test_the_wrong_kind_of_data_is_named(make_batch):
    with pytest.raises(ValueError, match=r"reads 'frames'.*'series'"):
        inputs.Appearance()(make_batch())
