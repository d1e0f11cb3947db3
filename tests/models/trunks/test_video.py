"""torchvision's video networks as trunks: what is changed of them."""

import pytest
import torch

from models.trunks.video import VideoTrunk


def test_running_statistics_of_s3d_are_those_of_its_clips_after_some_tens_of_steps():
    torch.manual_seed(0)
    trunk = VideoTrunk(backbone="s3d")
    stem = trunk.backbone.features[0][0]  # convolution, norm, activation
    x, mask = 3 + torch.randn(2, 14, 3, 32, 32), torch.ones(2, 14, dtype=torch.bool)
    with torch.no_grad():
        for _ in range(40):
            trunk(x, mask)
        shown = stem[0](x.transpose(1, 2))
    assert torch.allclose(stem[1].running_mean, shown.mean((0, 2, 3, 4)), atol=0.05 * float(shown.std()))


def test_s3d_says_how_many_frames_it_needs():
    trunk = VideoTrunk(backbone="s3d").eval()
    with torch.inference_mode():
        assert trunk(torch.rand(1, 5, 3, 32, 32), torch.ones(1, 5, dtype=torch.bool)).shape == (1, 1, 1024)
        with pytest.raises(ValueError, match="s3d reads 5 frames or more of a clip, which has 4"):
            trunk(torch.rand(1, 4, 3, 32, 32), torch.ones(1, 4, dtype=torch.bool))
