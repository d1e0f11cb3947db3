import pytest
import torch
from torch import nn

from models.trunks.inception_time import InceptionTimeTrunk, MaskedBatchNorm


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


def test_the_published_size():
    # Six modules of 4 x 32 filters: counted by hand from Ismail Fawaz et al. 2020 with kernels 39, 19, 9.
    trunk = InceptionTimeTrunk(channels=1)
    first = 1 * 32 * (39 + 19 + 9) + 32  # univariate input has no bottleneck
    later = 128 * 32 + 32 * 32 * (39 + 19 + 9) + 128 * 32
    norms = 6 * 256 + 2 * 256
    assert sum(p.numel() for p in trunk.parameters()) == first + 5 * later + 128 + 128 * 128 + norms


def test_a_width_that_the_branches_cannot_share_is_refused():
    with pytest.raises(ValueError, match="dim=30"):
        InceptionTimeTrunk(channels=3, dim=30)


def test_even_kernels_are_refused():
    with pytest.raises(ValueError, match="40 would shift"):
        InceptionTimeTrunk(channels=3, kernels=(40, 20))
