"""What heads of items share: predictions of answers, totals and thresholds, by the names of their columns."""

import torch
from torch import Tensor, nn

from models.items.answers import categories, sum_distribution
from models.items.layout import Layout, Questionnaire, Questionnaires


class ItemHead(nn.Module):
    """Head of J items; what a subclass says of them is P(y_j >= k) at the nodes of an integral.

    It learns from `targets["items"]` (B,J), whatever it is called in a network. Its `predict` gives expected
    answers (B,J), and `named` all that it predicts, each (B,), by the column of a table of predictions:

    - `item_...`, the expected answer of each item;
    - `<scale>_total`, the expected total of each scale, and `<scale>_probability`, that it reaches the
      scale's threshold, from the distribution of the sum of the answers;
    - `score` and `binary`, those two of the scale that the data are labeled with.

    Args:
        dim: Width of the embedding.
        questionnaires: The items, see `models.items.layout.Layout`; the data take the same.
        scale: The one of them that the data are labeled with.

    Raises:
        ValueError: The scale is none of the questionnaires, or see `Layout`.
    """

    label = "items"  # of the targets
    possible: Tensor
    highest: Tensor

    def __init__(self, *, dim: int, questionnaires: Questionnaires, scale: str) -> None:
        super().__init__()
        self.dim, self.layout = dim, Layout(questionnaires)
        self.scale = self.layout.named(scale)
        # told by the config, hence no part of a checkpoint's weights
        self.register_buffer("possible", self.layout.possible(), persistent=False)
        self.register_buffer("highest", torch.tensor(self.layout.highest), persistent=False)

    @property
    def names(self) -> tuple[str, ...]:
        """What `named` returns."""
        totals = [f"{one.name}_{what}" for one in self.layout.questionnaires for what in _OF_TOTALS]
        return ("score", "binary", *self.layout.columns, *totals)

    def chances(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """P(y >= k) (B,Q,J,K) at Q nodes, and the weights (Q,) that their mean is taken with."""
        raise NotImplementedError

    def predict(self, raw: Tensor) -> Tensor:
        """Return expected answers, (B,J), each from 0 to the item's highest."""
        reached, weights = self.chances(raw)
        return _mean(reached.sum(-1), weights)

    def named(self, raw: Tensor) -> dict[str, Tensor]:
        """Return every prediction, (B,) each, by its name."""
        reached, weights = self.chances(raw)
        expected = _mean(reached.sum(-1), weights)
        answer = categories(reached)
        found = dict(zip(self.layout.columns, expected.unbind(1), strict=True))
        for one in self.layout.questionnaires:
            found[f"{one.name}_total"] = expected[:, one.items].sum(1) * one.factor
            found[f"{one.name}_probability"] = _mean(_reaches(answer, one), weights)
        own = self.scale.name
        return {"score": found[f"{own}_total"], "binary": found[f"{own}_probability"], **found}

    def total_distribution(self, raw: Tensor, scale: str) -> Tensor:
        """Return the probability of each sum of the answers of a scale, (B,S) from 0, before any factor.

        Raises:
            ValueError: No such scale among the questionnaires.
        """
        reached, weights = self.chances(raw)
        own = self.layout.named(scale)
        return _mean(sum_distribution(categories(reached)[..., own.items, :]), weights)


_OF_TOTALS = ("total", "probability")


def _reaches(answer: Tensor, one: Questionnaire) -> Tensor:
    """P(total >= threshold) at each node, (B,Q) of P(y = k) (B,Q,J,K+1)."""
    sums = sum_distribution(answer[..., one.items, :])
    total = torch.arange(sums.shape[-1], device=sums.device) * one.factor
    return (sums * (total >= one.threshold)).sum(-1).clamp(0.0, 1.0)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean over the nodes of (B,Q,...), (B,...); a product of sums, which no autocast shortens."""
    return (values * weights.reshape(-1, *[1] * (values.dim() - 2))).sum(1)
