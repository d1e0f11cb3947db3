"""Channel relation: which channels move together, and which follows which.

Cross-correlations of how the channels of a clip change, at their peak over the lags:

    r_pq = max over lags l of mean over t of z_p[t] z_q[t + l],
    z = (d - mean d) / sqrt(var d + floor),    d[t] = x[t + step] - x[t]

Levels, amplitudes and speeds of single channels are not in it; coordination is, and the difference of r_pq
and r_qp says who leads. The peak and not every lag: how late somebody follows differs between persons, and
few numbers are learned from few persons. Ours, after the correlations of channels over several delays from
which the winner of AVEC 2014 read severity (Williamson et al. 2014).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.masking import masked_mean, silence

_FLOOR = 1e-2  # of a squared standard deviation: a channel that rests is related to nothing; our choice


def relations(channels: int) -> int:
    """How many numbers `channel_relation` returns for a clip: one for each ordered pair of channels.

    Examples:
        >>> relations(3)
        6
    """
    return channels * (channels - 1)


def channel_relation(x: Tensor, mask: Tensor, lags: Sequence[int], *, step: int) -> Tensor:
    """Return the peak cross-correlations (B, F (F - 1)) of x (B,T,F) under its mask (B,T).

    They stand in the order of the leading channel p, and within it of the following channel q. Only pairs of
    real steps count; where there are none, as in a clip shorter than the lag, the correlation is 0.
    """
    pairs = mask[:, step:] & mask[:, :-step]
    change = silence(x[:, step:] - x[:, :-step], pairs)
    centered = silence(change - masked_mean(change, pairs).unsqueeze(1), pairs)
    z = centered / (masked_mean(centered.square(), pairs) + _FLOOR).sqrt().unsqueeze(1)
    peak = torch.stack([_at(z, pairs, lag) for lag in lags]).amax(0)
    return _off_diagonal(peak)


def _off_diagonal(square: Tensor) -> Tensor:
    """What is not on the diagonal of (B,F,F), row by row, (B, F (F - 1)).

    Without its first entry a square falls into F - 1 rows of F + 1, each of which ends on the diagonal: views
    alone, where a mask would have a GPU count its entries while the host waits.
    """
    width = square.shape[-1]
    rows: Tensor = square.flatten(1)[:, 1:].reshape(len(square), width - 1, width + 1)
    return rows[..., :-1].flatten(1)


def _at(z: Tensor, mask: Tensor, lag: int) -> Tensor:
    """Correlations at one lag, (B,F,F)."""
    steps = max(z.shape[1] - lag, 0)
    count = (mask[:, :steps] & mask[:, lag:]).sum(1).clamp_min(1)
    product = torch.bmm(z[:, :steps].transpose(1, 2), z[:, lag:])  # z is 0 where nothing is real
    return product / count[:, None, None]
