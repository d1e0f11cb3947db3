"""MPDRM: depression branch, personality branch, context, relation attention, heads.

A reconstruction: the block names, their roles and the contrastive personality branch are published
(Neurocomputing 632, 129669, 2025); widths, losses, the enrolment context and the form of every block are
ours.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.masking import masked_mean
from models.mpdrm.rarm import RelationCross
from models.standardize import Statistics, set_statistics
from models.types import Batch, Output

# Config groups that swap a part; a branch is not swapped itself, but what it is made of.
_GROUPS = {"depression": ("trunk", "mmp", "input")}


def as_module(part: str, value: object) -> nn.Module:
    """Return the value if it is a module.

    Raises:
        TypeError: naming the overrides that swap the part; a plain `model.<part>=name` would replace it by
            a string.
    """
    if isinstance(value, nn.Module):
        return value
    name = part.partition(".")[0]
    groups = ", ".join(f"model/{group}=..." for group in _GROUPS.get(name, (name,)))
    raise TypeError(
        f"{part} must be a built module, got {type(value).__name__} {value!r}: swap it through its config "
        f"group ({groups}), change one setting by its full name "
        f"(model.network.{part}.<setting>=...), or switch it off with null where it is optional"
    )


def as_heads(heads: Mapping[str, nn.Module | None], dim: int) -> nn.ModuleDict:
    """Return the heads that are not null, checked against the embedding width.

    Raises:
        ValueError: if none is left or one has another width.
    """
    kept = {name: as_module(f"heads.{name}", head) for name, head in heads.items() if head is not None}
    if not kept:
        raise ValueError("a network without heads predicts nothing: keep at least one of score, binary, band")
    for name, head in kept.items():
        if head.dim != dim:
            raise ValueError(
                f"heads.{name} has dim={head.dim}, the embedding has {dim}: set heads.{name}.dim={dim}"
            )
    return nn.ModuleDict(kept)


class MPDRM(nn.Module):
    """Personality-aware depression recognition; parts set to None are switched off.

    Args:
        depression: MDFN, batch -> tokens (B,T',D) and mask (B,T').
        personality: MPFN, batch and tokens -> feature (B,D) and projection (B,E); None is the baseline,
            the depression branch alone.
        context: which personality features RARM sees, see `mpdrm.context`; None leaves RARM without any.
        rarm: relation attention, see `models.mpdrm.rarm`.
        heads: name -> head; null heads are dropped.
        twin: RARM starts at the difference of tokens and context, `f - c`, and a personality trunk of its own
            as a copy of the depression trunk; from there all are free. Ours, for `enrolment`: what is
            compared between visits then starts in one space. No effect without a personality branch and a
            context.
    """

    def __init__(
        self,
        *,
        depression: nn.Module,
        personality: nn.Module | None,
        context: nn.Module | None,
        rarm: nn.Module,
        heads: Mapping[str, nn.Module | None],
        twin: bool = False,
    ) -> None:
        super().__init__()
        self.depression = as_module("depression", depression)
        self.personality = None if personality is None else as_module("personality", personality)
        self.context = None if context is None else as_module("context", context)
        self.rarm = as_module("rarm", rarm)
        self.heads = as_heads(heads, int(self.rarm.dim))  # type: ignore[arg-type]
        for part in ("depression", "personality"):
            branch = getattr(self, part)
            if branch is not None and branch.dim != self.rarm.dim:
                raise ValueError(
                    f"{part} has dim={branch.dim}, rarm {self.rarm.dim}: give branches and rarm one width"
                )

        if twin and self.personality is not None and self.context is not None:
            self._twin(self.depression, self.personality)

    def _twin(self, depression: nn.Module, personality: nn.Module) -> None:
        try:
            if personality.trunk is not None:
                personality.trunk.load_state_dict(depression.trunk.state_dict())  # type: ignore[union-attr]
        except RuntimeError as error:
            raise ValueError(f"twin=true needs two trunks of one form: set twin=false ({error})") from error
        if isinstance(self.rarm, RelationCross):
            self.rarm.start_at_difference()

    def set_statistics(self, stats: Statistics) -> None:
        """Store the training statistics: series mean and std, score mean and std, prevalence."""
        set_statistics(self, stats)

    def forward(self, batch: Batch) -> Output:
        """Return logits, embedding, personality and attention for a batch."""
        tokens, mask = self.depression(batch)
        feature = projection = None
        if self.personality is not None:
            feature, projection = self.personality(batch, tokens, mask)
        context, available = self._context(tokens, feature, batch)
        v, attention = self.rarm(tokens, mask, context, available)
        personal = self.context is not None and feature is not None
        return Output(
            logits={name: head(v) for name, head in self.heads.items()},
            embedding=v,
            personality=projection,
            personality_feature=feature,
            context_available=available if personal else None,
            attention=attention,
            plain=None if self.training else masked_mean(tokens.float(), mask),
            relieved=self._relieved(tokens, mask, context, available) if personal else None,
        )

    def _relieved(self, tokens: Tensor, mask: Tensor, context: Tensor, available: Tensor) -> Tensor | None:
        """Mean token after the relief alone, so that a probe sees what the relief did and nothing else."""
        if self.training:
            return None
        return masked_mean(self.rarm.relieve(tokens, context, available).float(), mask)  # type: ignore[operator]  # RARM's contract

    def _context(self, tokens: Tensor, feature: Tensor | None, batch: Batch) -> tuple[Tensor, Tensor]:
        if self.context is None or feature is None:
            nobody = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
            return tokens.new_zeros(len(tokens), tokens.shape[-1]), nobody
        context, available = self.context(feature, batch)
        return context, available
