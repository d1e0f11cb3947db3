"""Gradient reversal: adversaries read the person from the embedding, which the network learns to prevent."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.types import Batch, Output


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


class SubjectAdversary(nn.Module):
    """Names the training subject from the reversed embedding: cross-entropy over all subjects.

    Args:
        dim: width of the embedding.
        subjects: number of subject codes of the manifest.
        strength: factor of the reversed gradient.
    """

    def __init__(self, *, dim: int, subjects: int, strength: float = 1.0) -> None:
        super().__init__()
        self.subjects, self.strength = subjects, strength
        self.classifier = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, subjects))

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """Return the mean cross-entropy over the rows whose subject is known."""
        subject = batch["subject"]
        if subject.device.type == "cpu" and (subject >= self.subjects).any():
            raise ValueError(
                f"subject code {int(subject.max())} for subjects={self.subjects}: set the number of subjects"
            )
        logits = self.classifier(reverse_gradient(output.embedding, self.strength)).float()
        known = subject >= 0
        loss = F.cross_entropy(logits, subject.clamp_min(0), reduction="none")
        mean: Tensor = loss.masked_fill(~known, 0.0).sum() / known.sum().clamp_min(1)
        return mean


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
        if output.personality is None:
            raise ValueError(
                "this adversary needs a personality branch: set it to null in the objective, or add one"
            )
        guess = self.predictor(reverse_gradient(output.embedding, self.strength)).float()
        return (1.0 - F.cosine_similarity(guess, output.personality.detach(), dim=-1)).mean()
