import numpy as np
import pytest
import torch

from models.mpdrm.mmp import MMPMaps, MMPSeries, motion, temporal_difference

CASES = {"series": (MMPSeries, ()), "maps": (MMPMaps, (5, 6))}


def _input(space, steps=9, channels=16):
    mask = torch.ones(2, steps, dtype=torch.bool)
    mask[1, -3:] = False
    return torch.randn(2, steps, channels, *space), mask


def test_motion_equals_a_loop_over_steps():
    x, mask = torch.randn(2, 9, 3), torch.rand(2, 9) > 0.3
    scales = (1, 2, 4)
    expected = np.zeros((2, 9, 2 * len(scales), 3))
    for b in range(2):
        for t in range(9):
            for i, scale in enumerate(scales):
                real = [j for j in range(t + 1, min(t + scale, 8) + 1) if mask[b, t] and mask[b, j]]
                rises = [(x[b, j] - x[b, t]).numpy() for j in real]
                if t + scale in real:
                    expected[b, t, 2 * i] = np.abs(rises[-1])
                expected[b, t, 2 * i + 1] = np.max([np.zeros(3), *rises], axis=0)
    np.testing.assert_allclose(motion(x, mask, scales).numpy(), expected.reshape(2, 9, -1), atol=1e-6)


def test_difference_beyond_the_clip_is_zero():
    x, mask = _input((), steps=3)
    assert temporal_difference(x, mask, 7).abs().sum() == 0


@pytest.mark.parametrize("name", CASES)
def test_shape_and_finite_gradients(name):
    module, space = CASES[name]
    mmp = module(16)
    x, mask = _input(space)
    out = mmp(x, mask)
    out.square().sum().backward()
    assert out.shape == x.shape
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in mmp.parameters())


@pytest.mark.parametrize("name", CASES)
def test_masked_steps_do_not_leak(name):
    module, space = CASES[name]
    mmp = module(16)
    x, mask = _input(space)
    other = x.clone()
    other[1, -3:] = 100.0
    assert torch.equal(mmp(x, mask), mmp(other, mask))
    assert torch.allclose(mmp(x, mask)[1, :-3], mmp(x[1:, :-3], mask[1:, :-3])[0], atol=1e-6)
    assert mmp(x, mask)[1, -3:].abs().sum() == 0


@pytest.mark.parametrize("name", CASES)
def test_a_still_clip_opens_no_gate_beyond_the_bias(name):
    module, space = CASES[name]
    mmp = module(16)
    x, mask = _input(space)
    still = x[:, :1].expand_as(x)
    gate = torch.tanh(mmp.mix.bias).reshape(16, *[1] * len(space))
    assert torch.allclose(mmp(still, mask)[0], still[0] * (1 + gate), atol=1e-6)
    assert not torch.allclose(mmp(x, mask)[0], x[0] * (1 + gate), atol=1e-2)


def test_a_scale_sees_as_far_as_it_says():
    mmp = MMPSeries(16, scales=(4,))
    x, mask = _input(())
    later = x.clone()
    later[0, 6] += 1.0
    changed = (mmp(x, mask) - mmp(later, mask))[0].abs().sum(-1) > 0
    assert changed.tolist() == [False, False, True, True, True, True, True, False, False]


@pytest.mark.parametrize("scales", [(), (0, 1)])
def test_impossible_scales_are_refused(scales):
    with pytest.raises(ValueError, match="scales"):
        MMPSeries(16, scales=scales)


def test_series_are_no_maps():
    x, mask = _input(())
    with pytest.raises(ValueError, match="choose model/mmp=series"):
        MMPMaps(16)(x, mask)
