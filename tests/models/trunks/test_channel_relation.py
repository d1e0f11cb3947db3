"""Channel relation against numpy, what it does not see, and who follows whom."""

import numpy as np
import pytest
import torch

from models.trunks.channel_relation import channel_relation, relations

LAGS = (0, 1, 4)


@pytest.fixture
def series():
    x = torch.randn(3, 40, 3, dtype=torch.float64).cumsum(1)
    mask = torch.ones(3, 40, dtype=torch.bool)
    mask[1, 31:] = False
    mask[2, 7:10] = False
    return x * mask[..., None], mask


def by_hand(x, there, lags=LAGS, floor=1e-2):
    z = x - x[there].mean(0)
    z = z / np.sqrt(x[there].var(0) + floor)
    out = []
    for lag in lags:
        at = [t for t in range(len(x) - lag) if there[t] and there[t + lag]]
        pairs = [(p, q) for p in range(3) for q in range(3) if (p < q if lag == 0 else p != q)]
        out += [np.mean([z[t, p] * z[t + lag, q] for t in at]) for p, q in pairs]
    return out


def test_closed_form(series):
    x, mask = series
    found = channel_relation(x, mask, LAGS).numpy()
    assert found.shape == (3, relations(3, LAGS))
    assert found == pytest.approx(
        np.array([by_hand(*row) for row in zip(x.numpy(), mask.numpy(), strict=True)])
    )


def test_lag_zero_is_the_correlation_of_numpy():
    x = 100 * torch.randn(1, 50, 3, dtype=torch.float64)
    found = channel_relation(x, torch.ones(1, 50, dtype=torch.bool), [0])[0].numpy()
    assert found == pytest.approx(np.corrcoef(x[0].numpy().T)[np.triu_indices(3, 1)], abs=1e-5)


def test_levels_and_amplitudes_are_not_in_it_and_padding_changes_nothing(series):
    x, mask = 100 * series[0], series[1]
    moved = (x * torch.tensor([2.0, 5.0, 3.0]) + torch.tensor([1.0, -4.0, 9.0])) * mask[..., None]
    assert torch.allclose(channel_relation(moved, mask, LAGS), channel_relation(x, mask, LAGS), atol=1e-4)
    alone = channel_relation(x[1:2, :31], mask[1:2, :31], LAGS)[0]
    assert torch.allclose(channel_relation(x, mask, LAGS)[1], alone)


def test_the_largest_relation_tells_who_follows_and_how_late():
    lead = torch.randn(1, 200)
    x = torch.stack((lead, lead.roll(4, 1)), 2)
    zero, first_leads, second_leads = channel_relation(x, torch.ones(1, 200, dtype=torch.bool), [0, 4])[0]
    assert first_leads > 0.9
    assert max(abs(zero), abs(second_leads)) < 0.3


def test_constant_channels_short_clips_and_padding_alone_are_zero_with_a_gradient():
    x = torch.ones(3, 4, 2, requires_grad=True)
    mask = torch.tensor([[True] * 4, [True] + [False] * 3, [False] * 4])
    relation = channel_relation(x * mask[..., None], mask, [0, 1, 9])
    assert relation.abs().max() == 0
    relation.sum().backward()
    assert x.grad.isfinite().all()
