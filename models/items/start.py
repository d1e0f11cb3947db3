"""Where item parameters start: from shares and correlations of the training answers, in closed form.

With a severity z ~ N(0, 1) and normal-ogive items, `y >= k` where `l z + sqrt(1 - l^2) e` exceeds the
quantile `t_k` of the share that answers less, discrimination and difficulty are `a = 1.702 l / sqrt(1 - l^2)`
and `b_k = t_k / l` (Takane & de Leeuw 1987). The loading l follows from the correlations of the answers,
which are smaller than those of what lies behind them by `c = sum_k phi(t_k) / sd(y)` for each item
(polyserial correlation, Olsson, Drasgow & Dorans 1982).
"""

import math

import torch
from torch import Tensor

_LOGISTIC = 1.702  # of the normal ogive (Haley 1952)
_RARE = 0.005  # our choice: shares below, and their opposites, say nothing of a difficulty
_APART = 0.05  # our choice: least distance of two quantiles
_LOADINGS = (0.3, 0.95)  # our choice: few persons give any loading
_ROUNDS = 100


def start(shares: Tensor, correlations: Tensor, membership: Tensor) -> tuple[Tensor, Tensor]:
    """Discriminations (J,) and difficulties (J,K) for severities ~ N(0, 1) among the training persons.

    Args:
        shares: Of the answers that are k or more, (J,K).
        correlations: Of the answers of two items, (J,J), 0 where nobody answered both.
        membership: Whether an item measures a severity, (D,J).
    """
    quantile = thresholds(shares)
    density = torch.exp(-(quantile**2) / 2) / math.sqrt(2 * math.pi)
    steps = torch.arange(1, shares.shape[1] + 1, dtype=shares.dtype)
    mean, square = shares.sum(1), (shares * (2 * steps - 1)).sum(1)  # E y^2 = sum_k (2k - 1) P(y >= k)
    rare = (shares > 0) & (shares < 1)
    spread = (square - mean**2).clamp_min(_RARE).sqrt()
    shrunk = ((density * rare).sum(1) / spread).clamp(0.5, 1.0)
    low, high = _LOADINGS
    loading = (_loadings(correlations, membership) / shrunk).clamp(low, high)
    return _LOGISTIC * loading / (1 - loading**2).sqrt(), quantile / loading[:, None]


def thresholds(shares: Tensor) -> Tensor:
    """Standard normal quantiles (J,K) of the shares that answer less than k, rising strictly in k."""
    rank = (1 - shares).clamp(_RARE, 1 - _RARE)
    quantile = math.sqrt(2) * torch.erfinv(2 * rank - 1)
    least = torch.arange(shares.shape[1], dtype=shares.dtype) * _APART
    return (quantile - least).cummax(1).values + least


def _loadings(correlations: Tensor, membership: Tensor) -> Tensor:
    """Loadings (J,) of one factor a severity: least squares on the correlations beside the diagonal."""
    together = (membership.T @ membership) > 0
    known = (together & (correlations != 0)).fill_diagonal_(False).to(correlations.dtype)
    loading = torch.full_like(correlations[0], 0.6)
    for _ in range(_ROUNDS):
        best = (correlations * known * loading).sum(1) / (known * loading**2).sum(1).clamp_min(1e-6)
        loading = (loading + torch.where(known.any(1), best.clamp(0.05, 0.99), loading)) / 2
    return loading
