import pytest
import torch

from models.zoo.convolutional.msn import MSNTrunk

ALL = torch.ones(1, 7, dtype=torch.bool)


def _small(**changed):
    return MSNTrunk(**{"stem": 4, "widths": (8, 16), "cells": (1, 1)} | changed)


def test_the_size_of_the_port_counted_by_hand():
    # convolutions without biases, two numbers of batch normalization per output channel
    norms = 2 * 64  # of the stem
    stem = 3 * 64 * 7**3
    scales = 32 * 32 * (3**3 + 5**3 + 7**3)
    multi_scale = 0
    for inputs in (64, 128, 128):
        multi_scale += inputs * 128 + inputs * 32 * 3 + scales + 3 * 32 * 128 * 3
        norms += 2 * (128 + 32 + 3 * 32 + 128)
    light = 0
    for inputs in (128, *[256] * 11):
        light += inputs * 256 + inputs * 64 * 3 + 64 * 64 * 27 + 64 * 256 * 3
        norms += 2 * (256 + 64 + 64 + 256)
    count = sum(p.numel() for p in MSNTrunk().parameters())
    assert count == stem + multi_scale + light + norms
    assert round(count / 1e6, 1) == 5.0  # the network of Melo et al. is reported with 77.7


def test_time_is_pooled_three_times():
    steps = {
        frames: _small()(torch.randn(1, frames, 3, 32, 32), ALL[:, :1].expand(1, frames)).shape[1]
        for frames in (1, 7, 16, 32)
    }
    assert steps == {1: 1, 7: 2, 16: 3, 32: 5}  # half, and twice half plus one: the later pools are padded


def test_a_cell_sees_as_far_as_its_largest_kernel():
    # a 7^3 convolution between two of length 3 in time reaches 5 steps and 3 pixels
    cell = _small(widths=(32, 16)).multi_scale[0].eval()
    x = torch.rand(1, 4, 15, 15, 15, requires_grad=True)
    cell(x)[0, :, 7, 7, 7].sum().backward()
    assert x.grad.abs().sum((0, 1)).nonzero().amin(0).tolist() == [2, 4, 4]
    assert x.grad.abs().sum((0, 1)).nonzero().amax(0).tolist() == [12, 10, 10]


def test_the_token_of_held_frames_is_that_of_a_still():
    trunk, mask = _small().eval(), ALL.clone()
    mask[0, 1:] = False
    x = torch.randn(1, 7, 3, 32, 32)
    with torch.no_grad():
        held = trunk(x, mask)
        still = trunk(x[:, :1].expand_as(x), ALL)
    assert torch.allclose(held[0, 0], still[0, 0])
    assert held[0, 1].abs().sum() == 0  # no real frame in its half


def test_rebuilding_with_a_seed_gives_the_same_network():
    built = []
    for _ in range(2):
        torch.manual_seed(3)
        built.append(_small().state_dict())
    assert all(torch.equal(built[0][name], built[1][name]) for name in built[0])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kernels": (3, 4)}, "4 would shift"),
        ({"widths": (8, 18)}, "multiples of 4"),
        ({"cells": (1,)}, "two"),
    ],
)
def test_what_cannot_be_built_is_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        _small(**changed)
