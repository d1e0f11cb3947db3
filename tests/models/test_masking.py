import numpy as np
import pytest
import torch

from models.masking import hold_last, masked_mean, pool_steps, silence, token_mask, zero_masked

MASK = torch.tensor([[True, True, False, True], [False, False, False, False]])


def test_zero_masked_replaces_nan_and_stops_its_gradient():
    x = torch.full((2, 4, 3), torch.nan)
    x[0, [0, 1, 3]] = 1.0
    x.requires_grad_()
    out = zero_masked(x, MASK)
    out.sum().backward()
    assert out.sum() == 9
    assert torch.equal(x.grad[..., 0] > 0, MASK)


def test_silence_equals_zero_masked_on_finite_values():
    x = torch.randn(2, 4, 3, 5, 5)
    assert torch.equal(silence(x, MASK), zero_masked(x, MASK))


def test_masked_mean_is_the_mean_of_the_real_steps_and_zero_without_any():
    x = torch.randn(2, 4, 3)
    expected = np.stack([x[0, [0, 1, 3]].numpy().mean(0), np.zeros(3)])
    np.testing.assert_allclose(masked_mean(x, MASK).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("frames", "steps", "real", "expected"),
    [(8, 2, 5, [True, True]), (8, 2, 4, [True, False]), (6, 6, 6, [True] * 6)],
)
def test_a_token_is_real_if_any_of_its_frames_is(frames, steps, real, expected):
    mask = torch.arange(frames)[None] < real
    assert token_mask(mask, steps)[0].tolist() == expected


@pytest.mark.parametrize("size", [2, 3, 4, 8])
def test_a_token_without_a_real_step_is_never_real(size):
    for frames in range(1, 20):
        x = torch.rand(frames + 1, frames, 1) + 1
        mask = torch.arange(frames)[None] < torch.arange(frames + 1)[:, None]
        tokens = pool_steps(x, mask, size)
        real = token_mask(mask, tokens.shape[1], size=size)
        assert torch.equal(real, tokens[..., 0] > 0)
        cells = token_mask(mask, 4 * tokens.shape[1], cells=4, size=size)
        assert torch.equal(cells, real.repeat_interleave(4, 1))


def test_a_size_that_does_not_give_the_tokens_is_refused():
    with pytest.raises(ValueError, match="8 frames make no 3 tokens of 4"):
        token_mask(torch.ones(1, 8, dtype=torch.bool), 3, size=4)


def test_hold_last_repeats_the_last_real_step():
    x = torch.tensor([[9.0, 1.0, 9.0, 2.0, 9.0], [9.0] * 5])[..., None]
    mask = torch.tensor([[False, True, False, True, False], [False] * 5])
    assert hold_last(x, mask)[..., 0].tolist() == [[1, 1, 1, 2, 2], [0] * 5]


def test_pooled_steps_are_means_of_the_real_ones_and_match_the_token_mask():
    x = torch.arange(1.0, 12)[None, :, None].clone()
    mask = torch.ones(1, 11, dtype=torch.bool)
    mask[0, 6:] = False
    x[0, 6:] = 0
    assert pool_steps(x, mask, 4).flatten().tolist() == [2.5, 5.5, 0.0]
    assert token_mask(mask, 3)[0].tolist() == [True, True, False]
    assert pool_steps(x, mask, 1).equal(x)


@pytest.mark.parametrize("halvings", [1, 2, 3])
def test_a_network_that_halves_the_frames_has_no_token_without_a_real_frame(halvings):
    for frames in range(1, 40):
        steps = frames
        for _ in range(halvings):
            steps = -(-steps // 2)  # a convolution of stride 2
        for real in range(1, frames + 1):
            mask = (torch.arange(frames) < real)[None]
            assert token_mask(mask, steps).sum() == -(-real // 2**halvings), (frames, real)
