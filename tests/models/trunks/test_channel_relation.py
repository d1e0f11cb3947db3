"""Channel relation against numpy, what it does not see, and who follows whom."""

import numpy as np
import pytest
import torch

from models.trunks.channel_relation import channel_relation, relations

LAGS, STEP = (0, 1, 4), 2


@pytest.fixture
def series():
    x = torch.randn(3, 40, 3, dtype=torch.float64).cumsum(1)
    mask = torch.ones(3, 40, dtype=torch.bool)
    mask[1, 31:] = False
    mask[2, 7:10] = False
    return x * mask[..., None], mask


def by_hand(x, there, lags=LAGS, step=STEP, floor=1e-2):
    d = x[step:] - x[:-step]
    there = there[step:] & there[:-step]
    z = (d - d[there].mean(0)) / np.sqrt(d[there].var(0) + floor)
    out = []
    for p, q in [(p, q) for p in range(3) for q in range(3) if p != q]:
        real = [[t for t in range(len(d) - lag) if there[t] and there[t + lag]] for lag in lags]
        out.append(
            max(np.mean([z[t, p] * z[t + lag, q] for t in at]) for lag, at in zip(lags, real, strict=True))
        )
    return out


def test_closed_form(series):
    x, mask = series
    found = channel_relation(x, mask, LAGS, step=STEP).numpy()
    assert found.shape == (3, relations(3))
    assert found == pytest.approx(
        np.array([by_hand(*row) for row in zip(x.numpy(), mask.numpy(), strict=True)])
    )


def test_lag_zero_is_the_correlation_of_numpy():
    x = 100 * torch.randn(1, 50, 3, dtype=torch.float64)
    found = channel_relation(x, torch.ones(1, 50, dtype=torch.bool), [0], step=1)[0].numpy()
    changes = np.corrcoef(np.diff(x[0].numpy(), axis=0).T)
    assert found == pytest.approx(changes[~np.eye(3, dtype=bool)], abs=1e-5)


def test_levels_and_amplitudes_are_not_in_it_and_padding_changes_nothing(series):
    x, mask = 100 * series[0], series[1]
    moved = (x * torch.tensor([2.0, 5.0, 3.0]) + torch.tensor([1.0, -4.0, 9.0])) * mask[..., None]
    whole = channel_relation(x, mask, LAGS, step=STEP)
    assert torch.allclose(channel_relation(moved, mask, LAGS, step=STEP), whole, atol=1e-4)
    alone = channel_relation(x[1:2, :31], mask[1:2, :31], LAGS, step=STEP)[0]
    assert torch.allclose(whole[1], alone)


def test_the_larger_of_two_relations_tells_who_follows():
    lead = torch.randn(1, 200)
    x = torch.stack((lead, lead.roll(4, 1)), 2)
    whole = torch.ones(1, 200, dtype=torch.bool)
    first_leads, second_leads = channel_relation(x, whole, [0, 4], step=1)[0]
    assert first_leads > 0.9
    assert abs(second_leads) < 0.3


def test_constant_channels_short_clips_and_padding_alone_are_zero_with_a_gradient():
    x = torch.ones(3, 4, 2, requires_grad=True)
    mask = torch.tensor([[True] * 4, [True] + [False] * 3, [False] * 4])
    for step in (1, 9):
        relation = channel_relation(x * mask[..., None], mask, [0, 1, 9], step=step)
        assert relation.abs().max() == 0
    relation.sum().backward()
    assert x.grad.isfinite().all()
