"""MPDRM: depression branch, personality branch, context, relation attention, heads.

A reconstruction: the block names, their roles and the contrastive personality branch are published
(Neurocomputing 632, 129669, 2025); widths, losses, the enrolment context and the form of every block are
ours.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.masking import masked_mean
from models.mpdrm.branches import MDFN, MPFN
from models.mpdrm.context import CalibratedContext
from models.mpdrm.rarm import RelationCross
from models.types import Batch, Context, Output, Pool, as_module


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

    Without personality and context, and with `MeanPool`, it is a trunk with heads: every baseline is one.

    Args:
        depression: MDFN, batch -> tokens (B,T',D) and mask (B,T').
        personality: MPFN, batch and tokens -> feature (B,D) and projection (B,E); None leaves the depression
            branch alone.
        context: which personality features RARM sees, see `mpdrm.context`; None leaves RARM without any.
        rarm: relation attention or another pool, see `models.mpdrm.rarm`.
        heads: name -> head; null heads are dropped.
        start_at_difference: RARM starts at the difference of tokens and context, `f - c`, and a personality
            trunk of its own as a copy of the depression trunk; from there all are free. Ours, for
            `enrolment`: what is compared between visits then starts in one space. No effect without a
            personality branch and a context.
    """

    def __init__(
        self,
        *,
        depression: MDFN,
        personality: MPFN | None,
        context: nn.Module | None,
        rarm: Pool,
        heads: Mapping[str, nn.Module | None],
        start_at_difference: bool = False,
    ) -> None:
        super().__init__()
        self.depression = as_module("depression", depression)
        self.personality = None if personality is None else as_module("personality", personality)
        self.context = None if context is None else as_module("context", context)
        self.rarm = as_module("rarm", rarm)
        self.heads = as_heads(heads, rarm.dim)
        for part, branch in (("depression", self.depression), ("personality", self.personality)):
            if branch is not None and branch.dim != rarm.dim:
                raise ValueError(
                    f"{part} has dim={branch.dim}, rarm {rarm.dim}: give branches and rarm one width"
                )
        if isinstance(self.context, CalibratedContext):
            readers = (head.get_submodule("linear") for head in self.heads.values())
            self.context.start_at_scores([reader.get_parameter("weight") for reader in readers])
        if start_at_difference and self.personality is not None and self.context is not None:
            self._start_at_difference(self.personality)

    def _start_at_difference(self, personality: MPFN) -> None:
        try:
            if personality.trunk is not None:
                start = self.depression.get_submodule("trunk").state_dict()
                personality.get_submodule("trunk").load_state_dict(start)
        except RuntimeError as error:
            raise ValueError(
                "start_at_difference=true needs two trunks of one form: set "
                f"model.network.start_at_difference=false ({error})"
            ) from error
        if isinstance(self.rarm, RelationCross):
            self.rarm.start_at_difference()

    def forward(self, batch: Batch) -> Output:
        """Return logits, embedding, personality and attention for a batch."""
        tokens, mask = self.depression(batch)
        feature = projection = None
        if self.personality is not None:
            feature, projection = self.personality(batch, tokens, mask)
        context = self._context(tokens, feature, batch)
        v, attention = self.rarm(tokens, mask, context.feature, context.available)
        if self.depression.cells > 1:  # weights of steps, whatever they are made of
            attention = attention.reshape(len(attention), -1, self.depression.cells).sum(-1)
        if context.offset is not None:
            v = v + context.offset
        known = context.available if self.context is not None and feature is not None else None
        plain = relieved = None
        if not self.training:  # what probes compare: the mean token before the relief, and after it alone
            plain = masked_mean(tokens.float(), mask)
            if known is not None:
                after = self.rarm.relieve(tokens, context.feature, context.available)
                relieved = masked_mean(after.float(), mask)
        return Output(
            logits={name: head(v) for name, head in self.heads.items()},
            embedding=v,
            personality=projection,
            personality_feature=feature,
            context_available=known,
            attention=attention,
            plain=plain,
            relieved=relieved,
        )

    def _context(self, tokens: Tensor, feature: Tensor | None, batch: Batch) -> Context:
        """What is known of each row's person; of nobody anything, where there is no context or personality.

        A pool is always given a context: where there is none, one that nobody has.
        """
        if self.context is None or feature is None:
            nobody = tokens.new_zeros(len(tokens), dtype=torch.bool)
            return Context(tokens.new_zeros(len(tokens), tokens.shape[-1]), nobody)
        context: Context = self.context(feature, batch)
        return context
