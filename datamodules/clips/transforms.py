"""Transforms of pixels on the device: augmentation, the same for all frames of a clip, and normalization.

Letters: B clips, T frames, H W pixels. Frames are (B, T, 3, H, W), uint8 or float in 0 to 255.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_GRAY = 127.5  # contrast pivots on middle gray: the mean of a clip would depend on its padding


class Normalize(nn.Module):
    """Scale to [0, 1], subtract the mean and divide by the standard deviation of each color, as float32.

    Args:
        mean: Of red, green and blue, in [0, 1]; the default is ImageNet's.
        std: Likewise.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, *, mean: Sequence[float] = _IMAGENET_MEAN, std: Sequence[float] = _IMAGENET_STD
    ) -> None:
        super().__init__()
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError(f"mean={mean} and std={std} need three values each, std above 0")
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        """Frames (B, T, 3, H, W) uint8 or float in 0 to 255 -> float32."""
        # what is made here is changed in place: the same numbers, with a third of the memory traffic
        return (frames.float() / 255).sub_(self.mean).div_(self.std)


class ClipAugment(nn.Module):
    """Flip, small affine motion, brightness and contrast: one draw a clip, the same for all of its frames.

    What is drawn is a hash of the seed that travels with the clip. It does not depend on the position in the
    batch, on the device or on anything that was drawn before. Padded frames are changed like the rest.

    Args:
        flip: Probability of a mirror image.
        rotation: Largest angle in degrees.
        scale: Largest relative change of size.
        translation: Largest shift, as a fraction of the image.
        brightness: Largest change, as a fraction of full scale.
        contrast: Largest relative change.
    """

    reads = "frames"

    def __init__(
        self,
        *,
        flip: float = 0.5,
        rotation: float = 4.0,
        scale: float = 0.05,
        translation: float = 0.03,
        brightness: float = 0.05,
        contrast: float = 0.1,
    ) -> None:
        super().__init__()
        if not 0 <= flip <= 1 or min(rotation, scale, translation, brightness, contrast) < 0:
            raise ValueError("flip is a probability and the other amounts must not be negative")
        self.flip, self.rotation, self.scale = flip, math.radians(rotation), scale
        self.translation, self.brightness, self.contrast = translation, brightness, contrast

    def forward(self, frames: Tensor, seed: Tensor) -> Tensor:
        """Frames (B, T, 3, H, W) and seed int64 (B,) -> float32 frames in 0 to 255."""
        clips, length, colors, height, width = frames.shape
        draws = uniforms(seed, 7)  # (B, 7) in [0, 1)
        theta = self._theta(draws, height / width)
        # Frames become channels: one grid a clip moves all of them together, in one call a batch.
        flat = frames.reshape(clips, length * colors, height, width).float()
        grid = functional.affine_grid(theta, list(flat.shape), align_corners=False)
        moved = functional.grid_sample(flat, grid, padding_mode="border", align_corners=False)
        gain, offset = self._tone(draws)
        flat = moved.view(clips, -1)  # in place, as `moved` is ours: the same numbers as with copies
        flat.sub_(_GRAY).mul_(gain).add_(_GRAY).add_(offset).clamp_(0, 255)
        return moved.view(clips, length, colors, height, width)

    def _theta(self, draws: Tensor, aspect: float) -> Tensor:
        """Affine maps (B, 2, 3) from target to source in coordinates of [-1, 1]."""
        mirror = 1 - 2 * (draws[:, 0] < self.flip).float()
        spread = 2 * draws - 1
        angle = self.rotation * spread[:, 1]
        size = 1 / (1 + self.scale * spread[:, 2])
        cos, sin = size * torch.cos(angle), size * torch.sin(angle)
        # The unit of x is half the width, that of y half the height: a rotation must know their ratio.
        across = torch.stack([mirror * cos, -aspect * sin, 2 * self.translation * spread[:, 3]], dim=1)
        down = torch.stack([mirror * sin / aspect, cos, 2 * self.translation * spread[:, 4]], dim=1)
        return torch.stack([across, down], dim=1)

    def _tone(self, draws: Tensor) -> tuple[Tensor, Tensor]:
        spread = 2 * draws[:, 5:7] - 1
        return 1 + self.contrast * spread[:, :1], 255 * self.brightness * spread[:, 1:]


def uniforms(seed: Tensor, count: int) -> Tensor:
    """Hash seeds int64 (B,) to float32 (B, count) in [0, 1) with splitmix64 (Steele et al. 2014)."""
    steps = torch.arange(1, count + 1, device=seed.device, dtype=torch.int64)
    state = seed[:, None] + steps * -0x61C8864680B583EB  # the golden ratio; int64 arithmetic wraps around
    state = (state ^ _shift(state, 30)) * -0x40A7B892E31B1A47
    state = (state ^ _shift(state, 27)) * -0x6B2FB644ECCEEE15
    state = state ^ _shift(state, 31)
    return _shift(state, 40).float() * 2.0**-24


def _shift(value: Tensor, bits: int) -> Tensor:
    """Logical shift to the right: torch's own keeps the sign."""
    return (value >> bits) & ((1 << (64 - bits)) - 1)
