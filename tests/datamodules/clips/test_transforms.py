import numpy as np
import pytest
import torch

from datamodules.clips.transforms import ClipAugment, Normalize, uniforms

STILL = {"flip": 0, "rotation": 0, "scale": 0, "translation": 0, "brightness": 0, "contrast": 0}


def seeds(count, start=0):
    return torch.arange(start, start + count, dtype=torch.int64) * 7_919 + 2**61


@pytest.fixture
def frames():
    return torch.randint(
        0, 256, (6, 5, 3, 24, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def test_normalize_equals_numpy(frames):
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.1)
    expected = (frames.numpy() / 255 - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    np.testing.assert_allclose(Normalize(mean=mean, std=std)(frames), expected, atol=1e-5)
    assert not Normalize().state_dict()  # nothing that a checkpoint would have to carry
    with pytest.raises(ValueError, match="std above 0"):
        Normalize(std=(0.1, 0.0, 0.1))


def test_all_frames_of_a_clip_get_the_same_change_and_clips_differ(frames):
    still = frames[:1, :1].expand(6, 5, -1, -1, -1)
    out = ClipAugment()(still, seeds(6))
    for frame in range(1, 5):
        assert torch.equal(out[:, 0], out[:, frame])
    for first in range(6):
        for second in range(first):
            assert (out[first] - out[second]).abs().mean() > 1


def test_what_is_drawn_depends_on_the_seed_and_not_on_the_batch(frames):
    augment = ClipAugment()
    out = augment(frames, seeds(6))
    torch.manual_seed(5)
    assert torch.equal(augment(frames, seeds(6)), out)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    torch.testing.assert_close(augment(frames[order], seeds(6)[order]), out[order])
    torch.testing.assert_close(augment(frames[2:3], seeds(6)[2:3]), out[2:3])
    assert not torch.allclose(augment(frames, seeds(6, start=50)), out)


def test_nothing_to_change_changes_nothing(frames):
    out = ClipAugment(**STILL)(frames, seeds(6))
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, frames.float(), atol=1e-2, rtol=0)


def test_flip_mirrors_and_happens_as_often_as_asked(frames):
    always = ClipAugment(**{**STILL, "flip": 1})(frames, seeds(6))
    torch.testing.assert_close(always, frames.float().flip(-1), atol=1e-2, rtol=0)
    clips = frames[:1].expand(400, -1, -1, -1, -1)
    half = ClipAugment(**{**STILL, "flip": 0.5})(clips, seeds(400))
    flipped = (half[:, 0] - frames[0, 0].float()).abs().flatten(1).mean(1) > 1
    assert abs(flipped.float().mean() - 0.5) < 0.08


@pytest.mark.parametrize("size", [(24, 32), (32, 24)])
def test_motion_keeps_distances_on_images_that_are_not_square(size):
    height, width = size
    augment = ClipAugment(**{**STILL, "rotation": 30, "flip": 0.5})
    theta = augment._theta(uniforms(seeds(50), 7), height / width)
    # From [-1, 1] to pixels and back: a rotation, mirrored or not, is orthogonal there.
    scale = torch.diag(torch.tensor([width / 2, height / 2]))
    motion = scale @ theta[:, :, :2] @ scale.inverse()
    torch.testing.assert_close(motion @ motion.transpose(1, 2), torch.eye(2).expand(50, 2, 2))
    assert (motion.det() > 0).float().mean().item() == pytest.approx(0.5, abs=0.2)
    angle = torch.rad2deg(torch.asin(motion[:, 1, 0].abs()))
    assert 20 < angle.max() <= 30


def test_tone_is_linear_within_its_limits():
    clips = torch.full((200, 1, 3, 4, 4), 128, dtype=torch.uint8)
    out = ClipAugment(**{**STILL, "brightness": 0.2})(clips, seeds(200))
    assert 20 < (out - 128).abs().max() <= 0.2 * 255 + 1e-3
    clips = torch.full((200, 1, 3, 4, 4), 227, dtype=torch.uint8)
    out = ClipAugment(**{**STILL, "contrast": 0.2})(clips, seeds(200)) - 227
    assert 15 < out.abs().max() <= 0.2 * 99.5 + 1e-2
    assert ClipAugment(**{**STILL, "brightness": 1})(clips, seeds(200)).amax() <= 255


def test_uniforms_are_uniform_and_equal_splitmix64():
    def splitmix(state):
        mask = 2**64 - 1
        state = (state + 0x9E3779B97F4A7C15) & mask
        value = state
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
        return state, value ^ (value >> 31)

    state, expected = int(seeds(1)), []
    for _ in range(4):
        state, value = splitmix(state)
        expected.append((value >> 40) / 2**24)
    assert uniforms(seeds(1), 4)[0].tolist() == expected
    draws = uniforms(seeds(4000), 7)
    assert draws.min() >= 0
    assert draws.max() < 1
    np.testing.assert_allclose(draws.mean(0), 0.5, atol=0.03)
    assert np.abs(np.corrcoef(draws.T.numpy()) - np.eye(7)).max() < 0.06


def test_impossible_amounts_are_refused():
    with pytest.raises(ValueError, match="probability"):
        ClipAugment(flip=1.5)
    with pytest.raises(ValueError, match="must not be negative"):
        ClipAugment(rotation=-1)
