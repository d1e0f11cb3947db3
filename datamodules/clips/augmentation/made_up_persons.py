"""Made-up persons: habits drawn anew for each training batch, one for all clips of a person in it.

A few dozen persons are soon known by heart: what their other visits look like names the person, and with the
person how ill they usually were. A habit that is drawn at random says nothing of that. What is left to learn
from is how a visit differs from the person's other visits, which stays exactly as it was.

    x'_itc = mean_ic + exp(gain_c u_pc) (x_itc - mean_ic) + level_c w_pc,    u, w ~ N(0, 1)

for clip i of person p, channel c; mean_ic is that of the clip. Ours; the nearest relative is the random
scaling of series as augmentation (Um et al. 2017, arXiv 1706.00527), which draws for each clip on its own.
"""

import torch
from torch import Tensor

from datamodules.clips.transforms import uniforms

_SALT = 0x5EED  # other draws than those of the clips, which hash the same seeds


def other_habits(
    series: Tensor, mask: Tensor, seed: Tensor, subject: Tensor, *, level: Tensor, gain: Tensor
) -> Tensor:
    """Give every person of a batch another resting level and another liveliness of each channel.

    Draws are a hash of the smallest seed among a person's clips: other ones in every epoch, the same wherever
    the clips stand in the batch.

    Args:
        series: (B,T,F); what is not real stays as it is.
        mask: (B,T).
        seed: int64 (B,), of the clips.
        subject: int64 (B,), equal for clips of one person.
        level: spread (F,) of the new resting levels.
        gain: spread (F,) of the new liveliness, in log units.
    """
    draws = _normal(_of_person(seed, subject), 2 * series.shape[2])  # (B,2F)
    shift, log_gain = level * draws[:, : len(level)], gain * draws[:, len(level) :]
    real = mask[:, :, None]
    mean = series.masked_fill(~real, 0.0).sum(1, keepdim=True) / real.sum(1, keepdim=True).clamp(min=1)
    changed = mean + torch.exp(log_gain)[:, None] * (series - mean) + shift[:, None]
    return torch.where(real, changed, series)


def _of_person(seed: Tensor, subject: Tensor) -> Tensor:
    """The smallest seed among the clips of each row's person, (B,)."""
    same = subject[:, None] == subject[None, :]
    return torch.where(same, seed[None, :], torch.iinfo(seed.dtype).max).amin(1) ^ _SALT


def _normal(seed: Tensor, count: int) -> Tensor:
    """Standard normal draws (B, count) by the inverse of the distribution function."""
    middle = uniforms(seed, count).double() + 2.0**-25  # of the 2^24 intervals: never 0, and never 1
    draws: Tensor = torch.special.ndtri(middle)
    return draws.float()
