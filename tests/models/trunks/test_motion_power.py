"""Motion power against numpy, and what it says of a factor, of time run backward and of silence."""

import numpy as np
import pytest
import torch

from models.trunks.motion_power import motion_power

SCALES = (1, 3)


def by_hand(x, real, scales=SCALES, floor=1e-3):
    """Rows one by one, without what is not real; differences only between two real steps."""
    out = []
    for values, there in zip(x, real, strict=True):
        parts = [values[there] - values[there].mean(0)]
        for scale in scales:
            ends = [t for t in range(scale, len(values)) if there[t] and there[t - scale]]
            parts.append(np.array([values[t] - values[t - scale] for t in ends]))
        halves = [half for part in parts for half in (np.maximum(part, 0), np.maximum(-part, 0))]
        out.append(np.concatenate([np.log((half**2).mean(0) + floor) for half in halves]))
    return np.stack(out)


@pytest.fixture
def series():
    x = torch.randn(4, 30, 3, dtype=torch.float64)
    mask = torch.ones(4, 30, dtype=torch.bool)
    mask[1, 24:] = False
    mask[2, 5:9] = False  # lost in the middle
    return x * mask[..., None], mask


def test_closed_form(series):
    x, mask = series
    assert motion_power(x, mask, SCALES).numpy() == pytest.approx(by_hand(x.numpy(), mask.numpy()))


def test_padding_changes_nothing(series):
    x, mask = series
    assert torch.allclose(
        motion_power(x, mask, SCALES)[1], motion_power(x[1:2, :24], mask[1:2, :24], SCALES)[0]
    )


def test_a_factor_is_a_summand_and_a_level_is_nothing(series):
    x, mask = 10 * series[0], series[1]
    moved = (3 * x + 7) * mask[..., None]
    gain = motion_power(moved, mask, SCALES) - motion_power(x, mask, SCALES)
    assert torch.allclose(gain, torch.full_like(gain, 2 * np.log(3)), atol=1e-3)


def test_backward_in_time_rises_and_falls_change_places():
    time = torch.arange(40.0)
    saw = ((time % 10) / 10)[None, :, None]  # rises slowly, falls at once
    mask = torch.ones(1, 40, dtype=torch.bool)
    _, _, rising, falling = motion_power(saw, mask, [1])[0]
    assert falling > rising + 1
    backward = motion_power(saw.flip(1), mask, [1])[0]
    assert torch.allclose(backward[2:], torch.stack((falling, rising)), atol=1e-5)


def test_constant_channels_short_clips_and_padding_alone_are_finite_with_a_gradient():
    x = torch.ones(3, 4, 2, requires_grad=True)
    mask = torch.tensor([[True] * 4, [True] + [False] * 3, [False] * 4])
    power = motion_power(x * mask[..., None], mask, [1, 2, 8])
    assert torch.allclose(power, torch.full_like(power, np.log(1e-3)))
    power.sum().backward()
    assert x.grad.isfinite().all()
