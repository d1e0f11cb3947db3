"""Channel relation: which channels move together, and which follows which, at several lags.

Cross-correlations of the channels of a clip, each about its own mean and in units of its own spread:

    r_pq(l) = mean over t of z_p[t] z_q[t + l],    z = (x - mean x) / sqrt(var x + floor)

Levels, amplitudes and speeds of single channels are not in it; coordination and its timing are. Correlations
of channels over several delays are what the winner of AVEC 2014 read severity from (Williamson et al. 2014);
here they go into a linear map, and not their eigenvalues, so that a network can weigh each pair.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.masking import masked_mean, silence

_FLOOR = 1e-2  # of a squared standard deviation: a channel that rests is related to nothing; our choice


def relations(channels: int, lags: Sequence[int]) -> int:
    """How many numbers `channel_relation` returns for a clip.

    Example:
        >>> relations(3, [0, 2])
        9
    """
    return sum(channels * (channels - 1) // (1 if lag else 2) for lag in lags)


def channel_relation(x: Tensor, mask: Tensor, lags: Sequence[int]) -> Tensor:
    """Return the cross-correlations (B, relations(F, lags)) of x (B,T,F) under its mask (B,T).

    Lag 0 has each pair once, p < q; another lag l has each ordered pair, q being l steps behind p. Only pairs
    of real steps count; where there are none, as in a clip shorter than the lag, the relation is 0.
    """
    centered = silence(x - masked_mean(x, mask).unsqueeze(1), mask)
    z = centered / (masked_mean(centered.square(), mask) + _FLOOR).sqrt().unsqueeze(1)
    return torch.cat([_at(z, mask, lag) for lag in lags], 1)


def _at(z: Tensor, mask: Tensor, lag: int) -> Tensor:
    steps, channels = max(z.shape[1] - lag, 0), z.shape[2]
    lead, follower = z[:, :steps], z[:, lag:]
    pairs = (mask[:, :steps] & mask[:, lag:]).sum(1).clamp_min(1)
    product = torch.bmm(lead.transpose(1, 2), follower) / pairs[:, None, None]  # z is 0 where nothing is real
    wanted = torch.ones(channels, channels, dtype=torch.bool, device=z.device)
    wanted = wanted.triu(1) if lag == 0 else wanted ^ torch.eye(channels, dtype=torch.bool, device=z.device)
    return product[:, wanted]
