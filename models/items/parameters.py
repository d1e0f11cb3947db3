"""Parameters of items: difficulties that rise from step to step, and discriminations above 0.

All are vectors, so that no weight decay draws an item towards the others.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.standardize import Statistics

_SHARES = "item_shares"
_LEAST = 1e-3  # our choice: two steps of an item lie as far apart, or a category would have no probability


class Difficulties(nn.Module):
    """Difficulties b_jk (J,K), strictly rising in k: b_j1, and positive distances from there.

    Args:
        items: J.
        steps: K.
    """

    def __init__(self, items: int, steps: int) -> None:
        super().__init__()
        self._shape = (items, steps - 1)
        self.first = nn.Parameter(torch.full((items,), -1.0))
        self.gaps = nn.Parameter(torch.full((items * (steps - 1),), 0.5413))  # softplus is 1

    @torch.no_grad()
    def start(self, difficulties: Tensor) -> None:
        """Take over these (J,K), which rise in k."""
        distance = (difficulties[:, 1:] - difficulties[:, :-1] - _LEAST).clamp_min(_LEAST)
        self.first.copy_(difficulties[:, 0])
        self.gaps.copy_(torch.log(torch.expm1(distance)).flatten())

    def forward(self) -> Tensor:
        """Return them, (J,K)."""
        gaps = F.softplus(self.gaps.float().reshape(self._shape)) + _LEAST
        first = self.first.float()[:, None]
        return torch.cat([first, first + gaps.cumsum(1)], 1)


def shared_places(columns: Sequence[str], groups: Sequence[Sequence[str]]) -> list[int]:
    """Number of the parameter that each item takes; items of one group take the same.

    Raises:
        ValueError: An item is in two groups, or no group holds two of the items.

    Examples:
        >>> shared_places(["a", "b", "c"], [["a", "c"]])
        [0, 1, 0]
    """
    group_of: dict[str, int] = {}
    for number, group in enumerate(groups):
        for name in group:
            if group_of.setdefault(name, number) != number:
                raise ValueError(f"linked: {name} is in two groups; keep it in one")
    keys = [group_of.get(name, name) for name in columns]
    if groups and len(set(keys)) == len(keys):
        raise ValueError(
            f"linked: no two of the items {columns[0]} to {columns[-1]} are in one group; link items of "
            "questionnaires that data.items names, or set linked=null"
        )
    order = list(dict.fromkeys(keys))
    return [order.index(key) for key in keys]


def of_training(stats: Statistics, key: str, columns: Sequence[str], width: int) -> Tensor:
    """Shares (J,K) or correlations (J,J) of the training answers, on the CPU; they are kept as one vector.

    Raises:
        ValueError: There are none, or of other items; or nobody answered an item.
    """
    found = torch.as_tensor(stats.get(key, torch.nan), dtype=torch.float32).cpu()
    if found.numel() != len(columns) * width:
        raise ValueError(
            f"{key} in the training statistics holds {found.numel()} numbers, the head needs "
            f"{len(columns)} x {width}: choose data/items of the head, and training recordings with answers"
        )
    table = found.reshape(len(columns), width)
    if (lost := (table < -1e-6).all(1).nonzero().flatten()).numel() and key == _SHARES:
        raise ValueError(
            f"{columns[int(lost[0])]}: no training recording has an answer, as of {len(lost)} items in all: "
            "fill the column, or choose data/items that were answered"
        )
    return table
