import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.readers.resize import resize


def _picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (2, 3, height, width), dtype=np.uint8))


@pytest.mark.parametrize(("height", "width"), [(48, 48), (120, 120), (31, 31)])
def test_scaling_agrees_with_pillow(height, width):
    frames = _picture(96, 96)
    ours = resize(frames, height=height, width=width)
    for frame, scaled in zip(frames, ours, strict=True):
        image = Image.fromarray(frame.permute(1, 2, 0).numpy())
        theirs = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
        assert np.abs(scaled.permute(1, 2, 0).numpy().astype(int) - theirs).max() <= 1


def test_halving_a_constant_keeps_it():
    assert (resize(torch.full((1, 3, 64, 64), 137, dtype=torch.uint8), height=32, width=32) == 137).all()


@pytest.mark.parametrize(("rows", "columns"), [(48, 96), (96, 48)])
def test_the_longer_side_is_cropped_centrally(rows, columns):
    frames = _picture(rows, columns)
    box = frames[..., 24:72] if columns > rows else frames[..., 24:72, :]
    assert torch.equal(resize(frames, height=24, width=24), resize(box, height=24, width=24))
    assert torch.equal(resize(frames, height=48, width=48), box)


def test_circles_stay_round():
    rows, columns = torch.meshgrid(torch.arange(240), torch.arange(320), indexing="ij")
    disc = ((rows - 120) ** 2 + (columns - 160) ** 2 < 80**2).to(torch.uint8).mul(255).expand(3, -1, -1)
    small = resize(disc, height=60, width=60)[0] > 128
    assert abs(int(small.any(0).sum()) - int(small.any(1).sum())) <= 1


def test_the_native_size_is_untouched():
    frames = _picture(37, 53)
    assert torch.equal(resize(frames, height=37, width=53), frames)


def test_each_frame_is_scaled_alone():
    frames = _picture(50, 70)
    whole = resize(frames, height=20, width=30)
    assert torch.equal(whole, torch.stack([resize(frame, height=20, width=30) for frame in frames]))


def test_normalized_frames_are_refused():
    with pytest.raises(TypeError, match="uint8"):
        resize(torch.zeros(3, 8, 8), height=4, width=4)
