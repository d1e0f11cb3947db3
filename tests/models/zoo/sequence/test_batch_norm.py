import pytest
import torch
from torch import nn

from models.zoo.sequence.batch_norm import MaskedBatchNorm


def test_the_norm_is_that_of_torch_over_the_real_steps():
    ours, reference = MaskedBatchNorm(3), nn.BatchNorm1d(3)
    x, mask = torch.randn(4, 6, 3), torch.rand(4, 6) > 0.3
    x[~mask] = 1e6
    out = ours(x, mask)
    assert torch.allclose(out[mask], reference(x[mask]), atol=1e-6)
    assert out[~mask].abs().sum() == 0
    assert torch.allclose(ours.running_mean, reference.running_mean)
    assert torch.allclose(ours.running_var, reference.running_var)
    assert ours.num_batches_tracked == reference.num_batches_tracked
    assert torch.allclose(ours.eval()(x, mask)[mask], reference.eval()(x[mask]), atol=1e-6)


def test_its_gradients_are_those_of_torch():
    ours, reference = MaskedBatchNorm(3), nn.BatchNorm1d(3)
    x, mask = torch.randn(4, 6, 3), torch.rand(4, 6) > 0.3
    weight = torch.randn(4, 6, 3)
    found = torch.autograd.grad((ours(x.requires_grad_(), mask) * weight).sum(), x)[0]
    expected = torch.autograd.grad((reference(x[mask]) * weight[mask]).sum(), x)[0]
    assert torch.allclose(found, expected, atol=1e-6)


def test_a_batch_of_one_real_step_cannot_be_normalized():
    mask = torch.zeros(1, 4, dtype=torch.bool)
    mask[0, 0] = True
    with pytest.raises(ValueError, match="two real steps"):
        MaskedBatchNorm(3)(torch.randn(1, 4, 3), mask)


def test_a_batch_without_a_real_step_changes_nothing():
    norm = MaskedBatchNorm(3).train()
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    x = torch.randn(2, 4, 3, requires_grad=True)
    out = norm(x, torch.zeros(2, 4, dtype=torch.bool))
    assert (out == 0).all()
    out.sum().backward()
    assert x.grad.isfinite().all()
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())
