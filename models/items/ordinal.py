"""OrdinalItemsHead: ordered logits for each item on its own."""

import torch
from torch import Tensor, nn

from models.items.answers import check_answers, log_probability, reach
from models.items.head import ItemHead
from models.items.layout import Questionnaires
from models.items.parameters import Difficulties, of_training
from models.items.start import thresholds
from models.masking import labeled_mean
from models.standardize import Statistics

_LOGISTIC = 1.702  # of the normal ogive (Haley 1952)


class OrdinalItemsHead(ItemHead):
    """Cumulative logits of each item (McCullagh 1980): P(y_j >= k) = sigmoid(w_j v - c_jk), c_jk rising in k.

    Given the embedding v the answers are independent, so that the spread of a total is too narrow wherever
    items go together for reasons that v does not hold; `GradedResponseHead` knows of one such reason.

    Args:
        dim: Width of the embedding.
        questionnaires: The items, see `models.items.layout.Layout`.
        scale: The one of them that the data are labeled with.
    """

    one: Tensor

    def __init__(self, *, dim: int, questionnaires: Questionnaires, scale: str) -> None:
        super().__init__(dim=dim, questionnaires=questionnaires, scale=scale)
        self.linear = nn.Linear(dim, len(self.layout))
        nn.init.zeros_(self.linear.bias)
        self.difficulties = Difficulties(len(self.layout), self.layout.steps)
        self.register_buffer("one", torch.ones(1), persistent=False)

    def set_statistics(self, stats: Statistics) -> None:
        """Start at the shares of the training answers, `item_shares`."""
        shares = of_training(stats, "item_shares", self.layout.columns, self.layout.steps)
        self.difficulties.start(_LOGISTIC * thresholds(shares))

    def forward(self, v: Tensor) -> Tensor:
        """Return the linear predictors (B,J)."""
        raw: Tensor = self.linear(v)
        return raw

    def loss(self, raw: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the mean negative log-likelihood of the known answers (B,J).

        Raises:
            ValueError: on an answer that the item does not have (checked on the CPU).
        """
        check_answers(target, mask, self.highest, self.layout.columns)
        place, slope = raw.float().unsqueeze(1), torch.ones_like(self.highest, dtype=torch.float32)
        likelihood = log_probability(place, slope, self.difficulties(), target * mask, self.highest)
        return labeled_mean(-likelihood.squeeze(1), mask)

    def chances(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """P(y >= k) (B,1,J,K), and the weight of the only node."""
        logits = raw.float().unsqueeze(-1) - self.difficulties()
        return reach(logits, self.possible).unsqueeze(1), self.one
