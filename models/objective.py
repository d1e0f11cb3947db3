"""Objective: the weighted sum of the heads' losses and of the extra terms, each logged by name."""

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from models.masking import like
from models.types import Batch, Head, Output


class Objective(nn.Module):
    """Sum of head losses and of the terms that are switched on; a term set to None does not exist.

    Args:
        contrast: supervised contrast on the personality projection.
        contrast_weight: its weight.
        orthogonality: difference loss between embedding and personality feature.
        orthogonality_weight: its weight.
        adversary: gradient-reversal adversary; its strength is its own, the weight scales what it learns by.
        adversary_weight: its weight.
        traits: personality traits from the personality branch.
        traits_weight: its weight.
        head_weights: head name -> weight; heads that are not named weigh 1, and a name without a head is an
            error.
    """

    def __init__(
        self,
        *,
        contrast: nn.Module | None = None,
        contrast_weight: float = 0.5,  # our choice, as all four
        orthogonality: nn.Module | None = None,
        orthogonality_weight: float = 0.1,
        adversary: nn.Module | None = None,
        adversary_weight: float = 0.1,
        traits: nn.Module | None = None,
        traits_weight: float = 0.2,
        head_weights: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        terms = {
            "contrast": (contrast, contrast_weight),
            "orthogonality": (orthogonality, orthogonality_weight),
            "adversary": (adversary, adversary_weight),
            "traits": (traits, traits_weight),
        }
        self.terms = nn.ModuleDict({name: term for name, (term, _) in terms.items() if term is not None})
        self.weights = {name: weight for name, (term, weight) in terms.items() if term is not None}
        self.head_weights = dict(head_weights or {})

    def names(self, heads: Iterable[str]) -> tuple[str, ...]:
        """Names of the terms that `forward` returns with these heads."""
        return ("loss", *heads, *self.terms)

    def forward(self, heads: Mapping[str, Head], output: Output, batch: Batch) -> dict[str, Tensor]:
        """Return every unweighted term under its name and their weighted sum under "loss".

        Rows that are context only (`scored` False) train no head.
        """
        unknown = set(self.head_weights) - set(heads)
        if unknown:
            raise ValueError(
                f"head_weights names {sorted(unknown)}, the network has {sorted(heads)}: correct the names"
            )
        losses: dict[str, Tensor] = {}
        # Zero with a gradient: a batch in which nothing is labeled still has a loss to go back from.
        total = output.embedding.sum() * 0.0
        for name, head in heads.items():
            label = getattr(head, "label", name)  # a head of items is not called as its targets are
            mask = batch["target_mask"][label]
            mask = mask & like(batch["scored"], mask)
            losses[name] = head.loss(output.logits[name], batch["targets"][label], mask)
            total = total + self.head_weights.get(name, 1.0) * losses[name]
        for name, term in self.terms.items():
            losses[name] = term(output, batch)
            total = total + self.weights[name] * losses[name]
        if "contrast" not in self.terms and output.personality is not None:
            total = total + output.personality.sum() * 0.0  # DDP: the projector must take part in every step
        return {"loss": total, **losses}
