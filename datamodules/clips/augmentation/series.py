"""Augmentation of feature series on the device: made-up persons, shift, lost rows, noise, masked channels.

Letters: B clips, T rows, F channels. Series are (B, T, F) float32 in raw units, masks (B, T) bool.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from datamodules.clips.augmentation.made_up_persons import other_habits
from datamodules.clips.transforms import uniforms

_LEARNED = {
    "mean": "series_mean",
    "std": "series_std",
    "level": "series_person_level",
    "gain": "series_person_gain",
}
_LIVELIEST = 0.5  # largest spread of a log gain: channels that mostly rest would be blown up; our choice
_SCALARS = 4  # draws of a clip that are no noise and of no channel


class SeriesAugment(nn.Module):
    """Changes each training clip by draws of its own and its person's; every amount is off at 0.

    What is drawn is a hash of the seed that travels with the clip. It depends neither on the position in the
    batch nor on anything drawn before. Rows that are padded or were lost keep their content, and a masked
    channel holds its training mean, which standardization turns into 0. Clips get another speed by the
    strides of their sampler, not here.

    Args:
        noise: Standard deviation of white noise, in training standard deviations of each channel.
        channel_mask: Probability that a channel is masked in all of a clip.
        time_mask: Largest share of a clip's rows that are lost, in one block.
        shift: Probability that a clip begins at another of its rows, and goes on with what came before.
        person_level: How far the resting levels of made-up persons lie apart, in spreads of the training
            persons; see `made_up_persons`. Where those do not differ, neither do these.
        person_gain: The same of their liveliness.

    Raises:
        ValueError: An amount is below 0, or a share or probability is above what it can be.
    """

    reads = "series"
    mean: Tensor
    std: Tensor
    level: Tensor
    gain: Tensor

    def __init__(
        self,
        *,
        noise: float = 0.1,
        channel_mask: float = 0.1,
        time_mask: float = 0.1,
        shift: float = 0.0,
        person_level: float = 0.0,
        person_gain: float = 0.0,
    ) -> None:
        super().__init__()
        if min(person_level, person_gain) < 0:
            raise ValueError(
                f"person_level={person_level} and person_gain={person_gain} are spreads: give 0 (off) or more"
            )
        if noise < 0 or not (0 <= channel_mask < 1 and 0 <= time_mask < 1 and 0 <= shift <= 1):
            raise ValueError(
                f"noise={noise} must be 0 or more, channel_mask={channel_mask} and time_mask={time_mask} "
                f"from 0 to below 1, shift={shift} from 0 to 1"
            )
        self.noise, self.channel_mask, self.time_mask, self.shift = noise, channel_mask, time_mask, shift
        self.person_level, self.person_gain = person_level, person_gain
        for name in _LEARNED:
            self.register_buffer(name, torch.zeros(0), persistent=False)

    def set_statistics(self, stats: Mapping[str, Tensor | float]) -> None:
        """Store `series_mean`, `series_std`, `series_person_level` and `series_person_gain`, (F,) each.

        Raises:
            ValueError: They are missing: the training part holds no series.
        """
        if not set(_LEARNED.values()) <= set(stats):
            raise ValueError("the training part holds no measured series, so there is nothing to augment by")
        for name, key in _LEARNED.items():
            setattr(self, name, torch.as_tensor(stats[key], dtype=torch.float32))

    def forward(
        self, series: Tensor, mask: Tensor, seed: Tensor, subject: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Series (B, T, F), mask (B, T), seed and subject int64 (B,) -> series and mask.

        Without subjects every clip is a person of its own.

        Raises:
            ValueError: The statistics are those of other channels, or were never set.
        """
        _, length, width = series.shape
        if len(self.mean) != width:
            raise ValueError(f"statistics of {len(self.mean)} channels for series of {width}")
        count = _SCALARS + width + (2 * length * width if self.noise else 0)
        draws = uniforms(seed, count)  # (B, count) in [0, 1)
        # Padding is held at the end of a clip and moves no row: the rest of it is the clip's own span.
        steps = torch.arange(length, device=mask.device)
        span = torch.where(mask, steps + 1, 0).amax(dim=1, keepdim=True)  # (B, 1)
        if self.person_level or self.person_gain:
            person = seed if subject is None else subject
            gain = (self.person_gain * self.gain).clamp(max=_LIVELIEST)
            habits = {"level": self.person_level * self.level, "gain": gain}
            series = other_habits(series, mask, seed, person, **habits)
        if self.shift:
            series, mask = self._shifted(series, mask, draws[:, :2], steps, span)
        if self.time_mask:
            series, mask = self._lost(series, mask, draws[:, 2:4], steps, span)
        if self.noise:
            series = series + self._noise(draws[:, _SCALARS + width :], series) * mask[:, :, None]
        if self.channel_mask:
            series = self._masked(series, mask, draws[:, _SCALARS : _SCALARS + width])
        return series, mask

    def _shifted(
        self, series: Tensor, mask: Tensor, draws: Tensor, steps: Tensor, span: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Turn a clip within its span; rows that were lost move along with the others."""
        turned = (draws[:, :1] < self.shift) & (span > 0)
        by = (draws[:, 1:] * span).long()
        origin = torch.where(turned & (steps < span), (steps - by) % span.clamp(min=1), steps)  # (B, T)
        rows = origin[:, :, None].expand_as(series)
        return series.gather(1, rows), mask.gather(1, origin)

    def _lost(
        self, series: Tensor, mask: Tensor, draws: Tensor, steps: Tensor, span: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Lose a block of rows, as a tracker does; a clip of which nothing would be left stays whole."""
        size = (draws[:, :1] * (self.time_mask * span + 1)).long()
        start = (draws[:, 1:] * (span - size + 1)).long()
        kept = mask & ~((steps >= start) & (steps < start + size))
        kept = torch.where(kept.any(dim=1, keepdim=True), kept, mask)
        return series.masked_fill((mask & ~kept)[:, :, None], 0.0), kept

    def _noise(self, draws: Tensor, like: Tensor) -> Tensor:
        """Normal noise (B, T, F) of two uniform draws each (Box and Muller 1958)."""
        first, second = draws.chunk(2, dim=1)
        normal = torch.sqrt(-2 * torch.log1p(-first)) * torch.cos(2 * math.pi * second)
        return normal.view_as(like) * (self.noise * self.std)

    def _masked(self, series: Tensor, mask: Tensor, draws: Tensor) -> Tensor:
        """Set whole channels to their training mean; one channel at least is left."""
        hidden = draws < self.channel_mask
        hidden = hidden & ~hidden.all(dim=1, keepdim=True)
        return torch.where(hidden[:, None, :] & mask[:, :, None], self.mean, series)
