"""The state space against its recurrence, a step at a time; what waits, what leaks, what it starts from."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from models.optim import weight_names
from models.zoo.sequence.state_space import BiMamba, StateSpaceTrunk, selective_scan


def recurrence(x, step, rate, write, read):
    """One row (T,E), a channel and a step at a time."""
    out = torch.zeros_like(x)
    for e in range(x.shape[1]):
        state = torch.zeros_like(rate[e])
        for t in range(len(x)):
            state = torch.exp(step[t, e] * rate[e]) * state + step[t, e] * write[t] * x[t, e]
            out[t, e] = read[t] @ state
    return out


def inputs(rows=2, steps=11, channels=3, states=4):
    x, write, read = (torch.randn(rows, steps, n) for n in (channels, states, states))
    step = F.softplus(torch.randn(rows, steps, channels))
    return [x, step, -torch.rand(channels, states) - 0.1, write, read]


def small(**changed):
    trunk = StateSpaceTrunk(**{"channels": 3, "dim": 8, "state": 4, "expand": 2} | changed)
    for layer in trunk.layers:  # as after training: at the start a zero stays a zero
        nn.init.normal_(layer.norm.bias)
        nn.init.normal_(layer.local_norm.bias)
    return trunk


def test_the_selective_scan_and_its_gradients_are_those_of_the_recurrence():
    given = [value.requires_grad_() for value in inputs()]
    x, step, rate, write, read = given
    expected = torch.stack([recurrence(x[i], step[i], rate, write[i], read[i]) for i in range(2)])
    found = selective_scan(*given)
    assert torch.allclose(found, expected, atol=1e-5)
    weights = torch.randn_like(expected)
    ours = torch.autograd.grad((found * weights).sum(), given)
    theirs = torch.autograd.grad((expected * weights).sum(), given)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(ours, theirs, strict=True))


def test_an_impulse_fades_as_a_sum_of_exponentials():
    steps, step, rate = 20, 0.3, torch.tensor([[-1.0, -2.0]])
    x = torch.zeros(1, steps, 1)
    x[0, 0] = 1.0
    y = selective_scan(
        x,
        torch.full_like(x, step),
        rate,
        torch.ones(1, steps, 2),
        torch.tensor([3.0, 5.0]).expand(1, steps, 2),
    )
    lag = step * torch.arange(steps)
    assert torch.allclose(y.flatten(), step * (3 * torch.exp(-lag) + 5 * torch.exp(-2 * lag)), atol=1e-6)


def test_a_step_of_zero_is_a_pause():
    x, step, rate, write, read = inputs(rows=1)
    there = torch.ones(11, dtype=torch.bool)
    there[4:8] = False
    paused = selective_scan(x, step * there[None, :, None], rate, write, read)
    cut = selective_scan(*(v[:, there] for v in (x, step)), rate, *(v[:, there] for v in (write, read)))
    assert torch.allclose(paused[:, there], cut, atol=1e-5)


def one_direction(of, inner):
    """A row (T,E) by hand: causal convolution, selection, recurrence, what skips it."""
    kernel, bias = of.conv.weight[:, 0], of.conv.bias
    before = torch.cat((torch.zeros(3, inner.shape[1]), inner))
    x = F.silu(torch.stack([(before[t : t + 4].T * kernel).sum(1) + bias for t in range(len(inner))]))
    rank, states = of.step.in_features, of.sizes[1]
    low, write, read = (x @ of.select.weight.T).split((rank, states, states), 1)
    step = torch.log1p(torch.exp(low @ of.step.weight.T + of.step.bias))
    rate = -torch.exp(of.log_rate).reshape(-1, states)
    return recurrence(x, step, rate, write, read) + of.skip * x


@torch.no_grad()
def test_a_block_worked_out_by_hand():
    block, x = BiMamba(dim=20, state=3, expand=2), torch.randn(2, 9, 20)
    found = block(x, torch.ones(2, 9, dtype=torch.bool))
    inner, gate = (x[0] @ block.enter.weight.T).split(40, 1)
    both = one_direction(block.ahead, inner) + one_direction(block.back, inner.flip(0)).flip(0)
    expected = (both * 0.5 * F.silu(gate)) @ block.leave.weight.T
    assert torch.allclose(found[0], expected, atol=1e-6)


def test_one_direction_sees_what_was_and_the_other_what_comes():
    block, x = BiMamba(dim=8), torch.randn(1, 12, 32)
    for direction in (block.ahead, block.back):  # the one behind is handed its series from the end
        x.grad = None
        direction(x.requires_grad_(), torch.ones(1, 12, dtype=torch.bool))[0, 6].sum().backward()
        assert x.grad[0].abs().sum(1).nonzero().flatten().tolist() == list(range(7))
    trunk, x = small().eval(), torch.randn(1, 40, 3, requires_grad=True)
    trunk(x, torch.ones(1, 40, dtype=torch.bool))[0, 20].sum().backward()
    assert (x.grad[0].abs().sum(1) > 0).all()


@pytest.mark.parametrize(("front", "behind"), [(0, 1), (0, 40), (1, 0), (7, 0), (5, 9)])
def test_padding_before_and_behind_changes_no_token(front, behind):
    trunk, x = small().eval(), torch.randn(2, 13, 3)
    padded = F.pad(x, (0, 0, front, behind), value=torch.nan)
    mask = F.pad(torch.ones(2, 13, dtype=torch.bool), (front, behind), value=False)
    with torch.no_grad():
        tokens, alone = trunk(padded, mask), trunk(x, torch.ones(2, 13, dtype=torch.bool))
    assert torch.allclose(tokens[:, front : front + 13], alone, atol=1e-5)
    assert tokens[~mask].abs().sum() == 0


def test_masked_steps_inside_reach_no_token_and_get_no_gradient():
    trunk, x = small().train(), torch.randn(2, 30, 3)
    mask = torch.rand(2, 30) > 0.3
    other = torch.where(mask[..., None], x, torch.randn_like(x))
    torch.manual_seed(1)
    first = trunk(x.requires_grad_(), mask)
    torch.manual_seed(1)
    assert torch.equal(first, trunk(other, mask))
    first.square().sum().backward()
    assert x.grad[~mask].abs().sum() == 0
    assert (x.grad[mask].abs().sum(1) > 0).all()


def test_steps_and_rates_start_where_mamba_starts_them():
    block = BiMamba(dim=64)
    for direction in (block.ahead, block.back):
        start = F.softplus(direction.step.bias)
        assert 1e-3 <= start.min() < 2e-3
        assert 0.05 < start.max() <= 0.1001
        assert direction.step.weight.abs().max() <= 4**-0.5  # the rank is 4
        rates = -direction.log_rate.exp().reshape(256, 16)
        assert torch.allclose(rates, -torch.arange(1.0, 17.0).expand(256, 16))
        assert (direction.skip == 1).all()


def test_states_are_float32_under_autocast():
    given = [value.bfloat16() for value in inputs(steps=200)]
    with torch.autocast("cpu", torch.bfloat16):
        found = selective_scan(*given)
    assert found.dtype == torch.float32
    assert torch.equal(found, selective_scan(*(value.float() for value in given)))


def test_the_size_counted_by_hand():
    with torch.device("meta"):
        trunk = StateSpaceTrunk(channels=136)
    inner = 4 * 256
    projections = 3 * 4 * 256**2  # "3 E D^2", Gu & Dao 2023, section 3.4
    block = trunk.layers[0].mamba
    assert block.enter.weight.numel() + block.leave.weight.numel() == projections
    direction = inner * (4 + 1) + inner * (16 + 2 * 16) + (16 + 1) * inner + inner * 16 + inner
    layer = 3 * 256**2 + 2 * 256 + projections + 2 * direction + 2 * 256
    assert sum(p.numel() for p in trunk.parameters()) == 136 * 256 + 2 * layer == 2_359_296


def test_rates_and_skips_do_not_decay():
    decayed = weight_names(small())
    assert {name for name in decayed if name.endswith(("log_rate", "skip", "bias"))} == set()
    assert "layers.0.mamba.ahead.conv.weight" in decayed


def test_memory_of_a_constant_rises_to_its_stationary_state():
    # a geometric series with the ratio exp(step rate)
    one = torch.ones(1, 400, 1)
    y = selective_scan(one, 0.1 * one, torch.full((1, 1), -1.0), one, one).flatten()
    assert y[-1].item() == pytest.approx(0.1 / (1 - math.exp(-0.1)), rel=1e-5)
