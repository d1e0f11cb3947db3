"""The scan against its recurrence taken step by step, in values and gradients; what would overflow."""

import pytest
import torch

from models.zoo.sequence import scan as module
from models.zoo.sequence.scan import scan


@pytest.fixture(autouse=True, params=["as a CPU", "as a GPU"])
def states(request, monkeypatch):
    """Both ways of taking the steps, whatever device is at hand."""
    if request.param == "as a GPU":
        monkeypatch.setattr(module, "_states", module._in_chunks)


def step_by_step(decay, drive):
    state, states = torch.zeros_like(drive[:, 0]), []
    for t in range(drive.shape[1]):
        state = decay[:, t] * state + drive[:, t]
        states.append(state)
    return torch.stack(states, 1)


def values(steps, *, dtype=torch.float64):
    decay = torch.rand(2, steps, 3, 2, dtype=dtype)
    return decay.requires_grad_(), torch.randn(2, steps, 3, 2, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 9, 10, 16, 17, 160])
def test_states_and_gradients_are_those_of_the_recurrence(steps):
    decay, drive = values(steps)
    found, expected = scan(decay, drive), step_by_step(decay, drive)
    assert torch.allclose(found, expected, atol=1e-12)
    weights = torch.randn_like(expected)
    ours = torch.autograd.grad((found * weights).sum(), (decay, drive))
    theirs = torch.autograd.grad((expected * weights).sum(), (decay, drive))
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(ours, theirs, strict=True))


def test_the_gradient_is_the_numerical_one():
    decay, drive = (x[:1, :, :1].detach().requires_grad_() for x in values(7))
    assert torch.autograd.gradcheck(scan, (decay, drive))


@pytest.mark.parametrize("decay", [1e-30, 1e-3, 0.5, 0.999, 1.0])
def test_nothing_overflows_over_many_steps(decay):
    # the product of 2000 decays of 1e-3 is 1e-6000, and its inverse no number of 32 bits
    drive = torch.randn(1, 2000, 1)
    decays = torch.full_like(drive, decay).requires_grad_()
    states = scan(decays, drive)
    states.square().sum().backward()
    exact = step_by_step(decays.detach().double(), drive.double())
    assert torch.allclose(states.double(), exact, rtol=1e-5, atol=1e-4)
    assert decays.grad.isfinite().all()


def test_no_decay_sums_and_full_decay_forgets():
    drive = torch.randn(2, 50, 3, dtype=torch.float64)
    assert torch.allclose(scan(torch.ones_like(drive), drive), drive.cumsum(1))
    assert torch.equal(scan(torch.zeros_like(drive), drive), drive)
