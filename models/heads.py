"""Heads: map an embedding (B,D) to a raw output, its masked loss and a prediction in the label's own unit.

Contract: `head(v)`, `head.loss(raw, target (B,), mask (B,))` (mean over labeled rows; zero with a gradient
when there are none) and `head.predict(raw)` (B,). Statistics of the training labels are buffers, hence part
of the checkpoint.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import labeled_mean
from models.standardize import Statistics

_HUBER_DELTA = 1.0  # standard deviations of the score; our choice


def _statistic(stats: Statistics, key: str, head: str) -> float:
    value = float(stats.get(key, math.nan))
    if not math.isfinite(value):
        raise ValueError(
            f"{key}={value} in the training statistics: the training recordings carry no label for the "
            f"{head!r} head; label them, or keep the heads that have labels, e.g. "
            f"model/heads={'binary' if head != 'binary' else 'score'}"
        )
    return value


class ScoreHead(nn.Module):
    """Questionnaire score in points: Huber loss on the standardized score, prediction kept within the scale.

    Args:
        dim: width of the embedding.
        low: lowest score of the scale.
        high: highest score of the scale (63 for BDI-II).
    """

    mean: Tensor
    std: Tensor

    def __init__(self, *, dim: int, low: float, high: float) -> None:
        super().__init__()
        if not low < high:
            raise ValueError(f"low={low}, high={high}: a scale needs low < high, e.g. 0 and 63 for BDI-II")
        self.dim, self.low, self.high = dim, float(low), float(high)
        self.linear = nn.Linear(dim, 1)
        self.register_buffer("mean", torch.tensor((low + high) / 2))
        self.register_buffer("std", torch.tensor((high - low) / 4))

    def set_statistics(self, stats: Statistics) -> None:
        """Store `score_mean` and `score_std` of the training recordings."""
        self.mean.fill_(_statistic(stats, "score_mean", "score"))
        std = _statistic(stats, "score_std", "score")
        self.std.fill_(std if std > 0 else 1.0)  # one single score in training: nothing to scale by

    def forward(self, v: Tensor) -> Tensor:
        """Return the standardized score (B,)."""
        raw: Tensor = self.linear(v).squeeze(-1)
        return raw

    def loss(self, raw: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the masked Huber loss against target (B,) in points."""
        standardized = (target - self.mean) / self.std
        loss = F.huber_loss(raw.float(), standardized, reduction="none", delta=_HUBER_DELTA)
        return labeled_mean(loss, mask)

    def predict(self, raw: Tensor) -> Tensor:
        """Return points within [low, high], (B,)."""
        return (raw.float() * self.std + self.mean).clamp(self.low, self.high)


class BinaryHead(nn.Module):
    """Depressed or not: cross-entropy on a logit that starts at the training prevalence."""

    prior: Tensor

    def __init__(self, *, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.linear = nn.Linear(dim, 1)
        nn.init.zeros_(self.linear.bias)
        self.register_buffer("prior", torch.zeros(()))

    def set_statistics(self, stats: Statistics) -> None:
        """Store the logit of `prevalence`, the training share of positives."""
        # Training persons of one class only would start at an infinite logit.
        prevalence = min(max(_statistic(stats, "prevalence", "binary"), 0.01), 0.99)
        self.prior.fill_(math.log(prevalence / (1.0 - prevalence)))

    def forward(self, v: Tensor) -> Tensor:
        """Return the logit (B,)."""
        raw: Tensor = self.linear(v).squeeze(-1)
        return raw + self.prior

    def loss(self, raw: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the masked binary cross-entropy."""
        loss = F.binary_cross_entropy_with_logits(raw.float(), target.float(), reduction="none")
        return labeled_mean(loss, mask)

    def predict(self, raw: Tensor) -> Tensor:
        """Return the probability of the positive class (B,)."""
        return torch.sigmoid(raw.float())


class OrdinalHead(nn.Module):
    """Severity bands by CORN (Shi et al. 2021): K - 1 conditional questions "above band k, given at least k".

    P(y > k) = prod_{j <= k} sigmoid(raw_j); question k is trained on the rows with y >= k only, and the
    loss is divided by the number of all questions asked.
    """

    def __init__(self, *, dim: int, bands: int) -> None:
        super().__init__()
        if bands < 2:
            raise ValueError(f"bands={bands}: an ordinal head needs at least 2, e.g. 4 for BDI-II")
        self.dim, self.bands = dim, bands
        self.linear = nn.Linear(dim, bands - 1)

    def forward(self, v: Tensor) -> Tensor:
        """Return the conditional logits (B, bands - 1)."""
        raw: Tensor = self.linear(v)
        return raw

    def loss(self, raw: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the masked CORN loss against band indices (B,).

        Raises:
            ValueError: on a labeled band outside the head's range (checked on CPU, where it costs no
                synchronization).
        """
        beyond = ((target < 0) | (target >= self.bands)) & mask
        if target.device.type == "cpu" and not torch.compiler.is_compiling() and beyond.any():
            raise ValueError(
                f"band {int(target[beyond][0])} for a head with bands={self.bands} (0 to {self.bands - 1}): "
                "set `bands` to the number of bands of the scale"
            )
        question = torch.arange(self.bands - 1, device=raw.device)
        above = (target[:, None] > question).float()
        asked = (target[:, None] >= question) & mask[:, None]
        loss = F.binary_cross_entropy_with_logits(raw.float(), above, reduction="none")
        return labeled_mean(loss, asked)

    def predict(self, raw: Tensor) -> Tensor:
        """Return the expected band, sum_k P(y > k), (B,) in [0, bands - 1]."""
        return torch.sigmoid(raw.float()).cumprod(-1).sum(-1)
