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
    assert torch.allclose(ours.running_var, reference.running_var)


def test_a_batch_of_one_real_step_cannot_be_normalized():
    mask = torch.zeros(1, 4, dtype=torch.bool)
    mask[0, 0] = True
    with pytest.raises(ValueError, match="two real steps"):
        MaskedBatchNorm(3)(torch.randn(1, 4, 3), mask)
