"""Gradient reversal: adversaries read the person from the embedding, which the network learns to prevent."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.types import Batch, Output, of_personality


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * grads[0], None


def reverse_gradient(x: Tensor, strength: float = 1.0) -> Tensor:
    """Return x; its gradient comes back multiplied by -strength (Ganin & Lempitsky, arXiv 1409.7495)."""
    reversed_: Tensor = _Reverse.apply(x, strength)
    return reversed_


class PersonalityAdversary(nn.Module):
    """Predicts the personality projection from the reversed embedding: 1 - cosine, for unseen persons too.

    Args:
        dim: width of the embedding.
        projection: width of the personality projection.
        strength: factor of the reversed gradient.
    """

    def __init__(self, *, dim: int, projection: int, strength: float = 1.0) -> None:
        super().__init__()
        self.strength = strength
        self.predictor = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, projection))

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """Return the mean cosine distance to the (detached) projection."""
        personality = of_personality(output.personality, "adversary").detach()
        guess = self.predictor(reverse_gradient(output.embedding, self.strength)).float()
        return (1.0 - F.cosine_similarity(guess, personality, dim=-1)).mean()
