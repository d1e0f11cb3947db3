"""Positions against the published formulas, written out in loops."""

import math

import pytest
import torch

from models.positions import ROTARY_SIDE, TRAINED, factorized, joint, rotate, rotations


def test_the_joint_table_is_that_of_videomae():
    table = joint(TRAINED, 16)
    assert table.shape == (8 * 14 * 14, 16)
    for n in (0, 1, 700, 1567):
        for j in range(16):
            angle = n / 10000 ** (2 * (j // 2) / 16)
            assert table[n, j].item() == pytest.approx(
                math.cos(angle) if j % 2 else math.sin(angle), abs=1e-4
            )


def test_another_grid_lies_between_the_tokens_of_the_trained_one():
    maps = joint(TRAINED, 8).reshape(8, 14, 14, 8)
    half = joint((4, 7, 7), 8).reshape(4, 7, 7, 8)
    assert torch.allclose(half[1, 2, 3], maps[2:4, 4:6, 6:8].mean((0, 1, 2)), atol=1e-5)


def test_factorized_parts_tell_step_row_and_column():
    table = factorized((2, 3, 4), 14).reshape(2, 3, 4, 14)
    assert torch.equal(table[0, 0, 0], torch.tensor([0.0, 1.0] * 6 + [0.0, 0.0]))
    assert torch.equal(table[1, 2, 3, :4], table[1, 0, 0, :4])
    assert torch.equal(table[1, 2, 3, 4:8], table[0, 2, 0, 4:8])
    assert torch.equal(table[1, 2, 3, 8:12], table[0, 0, 3, 8:12])
    assert table.flatten(0, 2).unique(dim=0).shape[0] == 24


def published(x, places, *, paired):
    """One axis of the rotation of V-JEPA as its equations have it: omega_i = 10000^(-i / (D / 2))."""
    width, out = x.shape[-1], torch.empty_like(x)
    for n, place in enumerate(places):
        angle = [place * 10000 ** (-i / (width / 2)) for i in range(width // 2)]
        for j in range(width):
            turned = angle[j // 2] if paired else angle[j % (width // 2)]
            other = -x[n, j + 1] if j % 2 == 0 else x[n, j - 1]
            out[n, j] = x[n, j] * math.cos(turned) + other * math.sin(turned)
    return out


@pytest.mark.parametrize("newer", [False, True], ids=["vjepa2", "vjepa2_1"])
def test_queries_turn_by_step_row_and_column_as_in_v_jepa(newer):
    torch.manual_seed(0)
    grid, width = (2, 3, 4), 32  # 10 entries an axis, and 2 that stay
    x = torch.randn(24, width)
    cos, sin = rotations(grid, width, stretched=newer, paired=newer)
    axes = [[t, h, w] for t in range(2) for h in range(3) for w in range(4)]
    scale = [1.0, (ROTARY_SIDE - 1) / 2, (ROTARY_SIDE - 1) / 3] if newer else [1.0] * 3
    expected = [
        published(x[:, 10 * a : 10 * a + 10], [p[a] * scale[a] for p in axes], paired=newer) for a in range(3)
    ]
    found = rotate(x, cos, sin)
    assert torch.allclose(found[:, :30], torch.cat(expected, 1), atol=1e-5)
    assert torch.equal(found[:, 30:], x[:, 30:])


def test_paired_rotations_see_differences_of_places_only():
    torch.manual_seed(0)
    cos, sin = rotations((6, 1, 1), 32, stretched=False, paired=True)
    query, key = torch.randn(32), torch.randn(32)
    scores = rotate(query.expand(6, -1), cos, sin) @ rotate(key.expand(6, -1), cos, sin).T
    for lag in range(-5, 6):
        line = scores.diagonal(lag)
        assert torch.allclose(line, line[:1].expand_as(line), atol=1e-4)


def test_tables_that_a_validation_or_a_sketch_made_serve_a_training():
    with torch.inference_mode():
        tables = [joint((1, 2, 5), 8), factorized((1, 2, 5), 8)]
        tables += rotations((1, 2, 5), 12, stretched=True, paired=True)
    with torch.device("meta"):
        tables += [joint((1, 2, 6), 8), factorized((1, 2, 6), 8)]
        tables += rotations((1, 2, 6), 12, stretched=True, paired=True)
    for table in tables:
        assert table.device.type == "cpu"
        weight = torch.ones(1, requires_grad=True)
        (weight * table).sum().backward()
        assert weight.grad is not None
