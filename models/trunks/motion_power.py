"""Motion power: how much each channel moves at several time scales, rising and falling apart.

What a linear reader takes from the spread and the speed of a channel, one number a clip:

    d_0[t] = x[t] - mean x,    d_s[t] = x[t] - x[t-s]
    e_s+-  = log(mean over t of relu(+-d_s[t])^2 + floor)

In the logarithm a habit that makes a person's movements larger, or more frequent, by a factor is a summand,
so that subtracting another visit takes it out as it takes out a resting level. Slow rises and fast falls
differ in e_s+ and e_s-. Ours; that speed carries severity: Kacem et al. 2018 (velocity and acceleration of
facial landmarks).
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from models.masking import masked_mean, silence

_FLOOR = 1e-3  # of a squared standard deviation: below lies measurement noise; our choice


def motion_power(x: Tensor, mask: Tensor, scales: Sequence[int]) -> Tensor:
    """Return the log power (B, 2 F (1 + len(scales))) of x (B,T,F): all rising, all falling, scale by scale.

    Only pairs of real steps count. A channel that never moves, and a scale longer than the clip, have the
    logarithm of the floor.

    Examples:
        >>> x = torch.tensor([[[0.0], [2.0], [2.0]]])
        >>> power = motion_power(x, torch.ones(1, 3, dtype=torch.bool), [1])
        >>> [round(value, 2) for value in power.exp()[0].tolist()]
        [0.3, 0.59, 2.0, 0.0]
    """
    parts = [_halves(x - masked_mean(x, mask).unsqueeze(1), mask)]
    for scale in scales:
        pairs = mask[:, scale:] & mask[:, :-scale]
        parts.append(_halves(x[:, scale:] - x[:, :-scale], pairs))
    return torch.cat(parts, 1)


def _halves(difference: Tensor, mask: Tensor) -> Tensor:
    real = silence(difference, mask)
    power = torch.cat((F.relu(real), F.relu(-real)), 2).square().sum(1) / mask.sum(1, keepdim=True).clamp_min(
        1
    )
    return torch.log(power + _FLOOR)
