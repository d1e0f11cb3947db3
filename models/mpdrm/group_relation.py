"""Relation attention between groups of channels and the whole face: part relation for series.

Parts of a series are groups of its channels: brow, eyes and gaze, mouth, head; of landmarks the regions
they lie on. The weights are those of `part_relation`. Ours: groups in place of regions of a map, and the sum
of the weighed groups as token, which starts as the one linear map that a series trunk begins with.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from models.mpdrm.part_relation import PartRelation


class GroupRelation(nn.Module):
    """Series (B,T,F) -> tokens (B,T,D): sum over groups k of w_k W_k x_k + bias, step by step.

    It takes the place of `nn.Linear(channels, dim)` at the start of a trunk. Every step stands alone, so that
    what a mask hides cannot reach another step.

    Args:
        channels: F.
        dim: D.
        groups: name of the group -> places of its channels, from 0; every channel in one group.

    Raises:
        ValueError: a channel is in no group, in two, or does not exist; a group is empty; or there is one
            group only.

    Examples:
        >>> stem = GroupRelation(channels=5, dim=8, groups={"brow": [0, 1], "mouth": [2, 3, 4]})
        >>> stem(torch.randn(2, 20, 5)).shape
        torch.Size([2, 20, 8])
    """

    def __init__(self, *, channels: int, dim: int, groups: Mapping[str, Sequence[int]]) -> None:
        super().__init__()
        _check(groups, channels)
        self.groups = {name: tuple(places) for name, places in groups.items()}
        maps = [nn.Linear(len(places), dim, bias=False) for places in groups.values()]
        for linear in maps:
            nn.init.uniform_(linear.weight, -(channels**-0.5), channels**-0.5)  # as one map of all channels
        self.maps = nn.ModuleList(maps)
        self.relation = PartRelation(width=dim)
        self.bias = nn.Parameter(torch.zeros(dim))

    def parts(self, x: Tensor) -> Tensor:
        """Return what each group says at each step, (B,T,P,D)."""
        pairs = zip(self.groups.values(), self.maps, strict=True)
        return torch.stack([linear(x[..., list(places)]) for places, linear in pairs], -2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens."""
        parts = self.parts(x)
        weights, _ = self.relation(parts.flatten(0, 1))
        weighed = weights.unflatten(0, x.shape[:2]).unsqueeze(-1) * parts
        tokens: Tensor = weighed.sum(-2) + self.bias
        return tokens


def _check(groups: Mapping[str, Sequence[int]], channels: int) -> None:
    if len(groups) < 2:
        raise ValueError(f"groups={dict(groups)}: a relation between parts needs two groups or more")
    if empty := [name for name, places in groups.items() if not places]:
        raise ValueError(f"group {empty[0]!r} has no channel: take it out or give it one")
    named = sorted(place for places in groups.values() for place in places)
    if named != list(range(channels)):
        missing = sorted(set(range(channels)) - set(named))
        wrong = sorted({place for place in named if not 0 <= place < channels or named.count(place) > 1})
        raise ValueError(
            f"groups must hold each of the {channels} channels once, counted from 0: missing {missing}, "
            f"twice or beyond the last {wrong}"
        )
