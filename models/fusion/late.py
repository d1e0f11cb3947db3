"""Late fusion: a network with heads of its own for each feature set, and the mean of their predictions."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.inputs import Input
from models.masking import zero_masked
from models.mpdrm.branches import MDFN, MPFN
from models.mpdrm.context import CalibratedContext
from models.mpdrm.network import MPDRM
from models.standardize import Standardize
from models.types import Batch, Head, Output, Pool, entry


class OneSet(Input):
    """One of S feature sets (B,T,F), standardized and mapped to the width of a trunk, (B,T,D).

    Args:
        channels: F, of all sets.
        widths: Channels of each set, side by side.
        dim: D.
        place: Which set.
    """

    reads = "series"

    def __init__(self, *, channels: int, widths: Sequence[int], dim: int, place: int = 0) -> None:
        super().__init__()
        if sum(widths) != channels:
            raise ValueError(f"widths={list(widths)} of feature sets do not add up to channels={channels}")
        self.channels, self.widths, self.dim = channels, list(widths), dim
        width, first = self.widths[place], sum(self.widths[:place])
        self._own = slice(first, first + width)
        self.standardize = Standardize(channels=width, first=first, among=channels)
        self.project = nn.Linear(width, dim)

    def at(self, place: int) -> "OneSet":
        """The same of another set."""
        return OneSet(channels=self.channels, widths=self.widths, dim=self.dim, place=place)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the mapped set and its mask (B,T), which is that of the batch."""
        series, mask = self.take(batch)
        levels = self.standardize(series[:, :, self._own], mask)
        return zero_masked(self.project(levels), mask), mask


class SetHeads(nn.Module):
    """A head for each of S sets; the prediction is the mean of those whose set is there.

    Raw outputs are (B,S,K+1): the K numbers of each head, and 1 where the set is there, else 0. Each head
    learns by itself, from the clips that have its set; the loss is the mean over the sets.

    Args:
        heads: One for each set, of one kind.
    """

    def __init__(self, heads: Sequence[Head]) -> None:
        super().__init__()
        self.dim = heads[0].dim
        self.heads = nn.ModuleList(heads)  # type: ignore[arg-type]

    def forward(self, v: Tensor, there: Tensor) -> Tensor:
        """Map embeddings (B,S,D) of the sets that are there (B,S) to raw outputs."""
        raw = torch.stack([head(v[:, place]) for place, head in enumerate(self.heads)], 1).float()
        raw = raw.unsqueeze(2) if raw.dim() == 2 else raw
        return torch.cat((raw, there.unsqueeze(2).to(raw.dtype)), 2)

    def loss(self, raw: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the mean over the sets of the loss over the rows of the mask (B,) that have the set."""
        losses = [head.loss(own, target, mask & there) for head, own, there in self._each(raw)]
        return torch.stack(losses).mean()

    def predict(self, raw: Tensor) -> Tensor:
        """Return the mean prediction (B,) of the sets that are there."""
        each = list(self._each(raw))
        predictions = torch.stack([head.predict(own) for head, own, _ in each], 1)
        return _mean(predictions, torch.stack([there for *_, there in each], 1))

    def _each(self, raw: Tensor) -> list[tuple[Any, Tensor, Tensor]]:
        """Head, raw output as it made it, and whether the set is there (B,)."""
        numbers, there = raw[:, :, :-1], raw[:, :, -1] > 0.5
        single = not any(hasattr(self.heads[0], name) for name in ("bands", "named"))
        numbers = numbers.squeeze(2) if single else numbers
        return [(head, numbers[:, place], there[:, place]) for place, head in enumerate(self.heads)]


class SetItemHeads(SetHeads):
    """`SetHeads` of heads of items: each of their predictions is the mean of the sets that are there."""

    def __init__(self, heads: Sequence[Head]) -> None:
        super().__init__(heads)
        first: Any = heads[0]
        self.label: str = first.label
        self.names: tuple[str, ...] = first.names

    def loss(self, raw: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the mean over the sets of the loss over the answers of the mask (B,J), where the set is."""
        losses = [head.loss(own, target, mask & there[:, None]) for head, own, there in self._each(raw)]
        return torch.stack(losses).mean()

    def named(self, raw: Tensor) -> dict[str, Tensor]:
        """Return every prediction, (B,) each, by its name."""
        each = [(head.named(own), there) for head, own, there in self._each(raw)]
        there = torch.stack([there for _, there in each], 1)
        return {name: _mean(torch.stack([found[name] for found, _ in each], 1), there) for name in self.names}


class LateFusion(nn.Module):
    """S networks of one form, one for each feature set, with the arguments of `MPDRM`.

    They begin as copies of one network behind a map of their own (`OneSet`), and learn apart. A clip without
    a set is predicted by the others, and is unknown to the network of that set: it is nobody's context there.
    Embedding, attention and personality are means over the sets that are there.

    Args:
        depression: Its input is a `OneSet`.
        personality: One that shares the trunk; None for none.
        context: None, or one that reads no scores.
        rarm: As of `MPDRM`.
        heads: As of `MPDRM`.
        start_at_difference: As of `MPDRM`.

    Raises:
        ValueError: An input, a personality or a context that cannot be divided by sets.
    """

    def __init__(
        self,
        *,
        depression: MDFN,
        rarm: Pool,
        heads: Mapping[str, nn.Module | None],
        personality: MPFN | None = None,
        context: nn.Module | None = None,
        start_at_difference: bool = False,
    ) -> None:
        super().__init__()
        first = depression.input
        if not isinstance(first, OneSet):
            raise ValueError(
                f"late fusion reads one set a network, not {type(first).__name__}: model/fusion=late"
            )
        if personality is not None and personality.trunk is not None:
            raise ValueError(
                "late fusion takes model/personality=shared or none: a trunk of its own reads all sets"
            )
        if isinstance(context, CalibratedContext):
            raise ValueError("late fusion takes model/context=enrolment, clip or none: scores know no sets")
        whole = MPDRM(
            depression=depression, personality=personality, context=context, rarm=rarm, heads=heads,
            start_at_difference=start_at_difference,
        )  # fmt: skip
        members = [whole, *(deepcopy(whole) for _ in first.widths[1:])]
        for place, member in enumerate(members[1:], 1):
            member.depression.input = first.at(place)
        self.heads = nn.ModuleDict(
            {name: _of_sets([member.heads[name] for member in members]) for name in whole.heads}  # type: ignore[misc]
        )
        for member in members:
            member.heads = nn.ModuleDict()  # each head has one place
        self.members = nn.ModuleList(members)

    def forward(self, batch: Batch) -> Output:
        """Return raw outputs of all heads, and means over the sets of what else the networks give."""
        real = entry(batch, "set_mask", "LateFusion") & entry(batch, "mask", "LateFusion").unsqueeze(2)
        there = real.any(1)
        found = [self._of_set(batch, real[:, :, place], place) for place in range(len(self.members))]
        embeddings = torch.stack([own.embedding for own in found], 1)
        kept = {
            name: _over(found, name, there)
            for name in ("personality", "personality_feature", "plain", "relieved")
        }
        if kept["personality"] is not None:
            kept["personality"] = F.normalize(kept["personality"], dim=-1)
        known = [own.context_available for own in found]
        return Output(
            logits={name: head(embeddings, there) for name, head in self.heads.items()},
            embedding=_mean(embeddings, there),
            attention=_over(found, "attention", there),
            context_available=None
            if any(one is None for one in known)
            else (torch.stack([one for one in known if one is not None], 1) & there).any(1),
            **kept,
        )

    def _of_set(self, batch: Batch, real: Tensor, place: int) -> Output:
        own = {**batch, "mask": real}
        if "subject" in batch:  # below 0 where nobody knows who it is
            own["subject"] = torch.where(real.any(1), batch["subject"], -1)
        output: Output = self.members[place](own)
        return output


def _of_sets(heads: Sequence[Head]) -> SetHeads:
    return SetItemHeads(heads) if hasattr(heads[0], "named") else SetHeads(heads)


def _over(found: Sequence[Output], name: str, there: Tensor) -> Tensor | None:
    """Mean over the sets of an entry of their outputs; None where they have none."""
    parts = [getattr(own, name) for own in found]
    return None if parts[0] is None else _mean(torch.stack(parts, 1), there)


def _mean(parts: Tensor, there: Tensor) -> Tensor:
    """Mean of parts (B,S,...) over the sets that are there (B,S)."""
    weights = there.to(parts.dtype) / there.sum(1, keepdim=True).clamp_min(1)
    return (parts * weights.reshape(weights.shape + (1,) * (parts.dim() - 2))).sum(1)
