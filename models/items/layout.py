"""Layout of questionnaires by item: which item stands where, what it measures, and how totals are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Questionnaires = Mapping[str, Mapping[str, str | int | Sequence[str] | Sequence[int]]]
"""Name of a scale -> its plain data, see `Layout`."""

_READ = {"columns", "highest", "factor", "threshold", "dimension"}
_MOST = 100  # our choice: no item has as many answers, and no config may ask for the memory of more


@dataclass(frozen=True)
class Questionnaire:
    """One questionnaire, or one subscale that has a total of its own.

    Attributes:
        name: Of its scale, such as `DASS-21-D`.
        items: Where its items stand among all J.
        factor: What a sum of answers is multiplied by, 2 for the DASS-21.
        threshold: Total from which on the binary label is 1.
        dimension: Number of the severity that its items measure.
    """

    name: str
    items: slice
    factor: int
    threshold: float
    dimension: int


class Layout:
    """The items of questionnaires in the order in which they are written down, one after the other.

    Args:
        questionnaires: Name of the scale -> its plain data: `columns`, the item columns; `highest`, the
            highest answer of each, the lowest being 0; `factor`; `threshold`; and `dimension`, the name of
            the severity that it measures. Those of one name measure the same; the default is the scale's own.

    Attributes:
        columns: Names of the J items.
        highest: Highest answer of each.
        dimensions: Names of the D severities.
        dimension: Number of the one that each item measures.
        questionnaires: Their totals.

    Raises:
        ValueError: There is none, an item stands there twice, or plain data lack what is read.

    Examples:
        >>> phq = {"columns": ["item_a", "item_b"], "highest": [3, 3], "factor": 1, "threshold": 2}
        >>> Layout({"PHQ-2": phq}).dimensions
        ('PHQ-2',)
    """

    def __init__(self, questionnaires: Questionnaires) -> None:
        if not questionnaires:
            raise ValueError("no questionnaires: choose their items, e.g. data/items=phq_9")
        self.columns: tuple[str, ...] = ()
        self.highest: tuple[int, ...] = ()
        self.dimension: tuple[int, ...] = ()
        found: list[Questionnaire] = []
        named = {name: str(own.get("dimension") or name) for name, own in questionnaires.items()}
        self.dimensions = tuple(dict.fromkeys(named.values()))
        own: Any
        for name, own in questionnaires.items():
            _check(name, own)
            place, start = self.dimensions.index(named[name]), len(self.columns)
            self.columns += tuple(own["columns"])
            self.highest += tuple(own["highest"])
            self.dimension += (place,) * len(own["columns"])
            items = slice(start, len(self.columns))
            found.append(Questionnaire(name, items, own["factor"], own["threshold"], place))
        if twice := sorted({name for name in self.columns if self.columns.count(name) > 1}):
            raise ValueError(f"{twice[0]} is in two questionnaires: choose the one or the other")
        self.questionnaires = tuple(found)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def steps(self) -> int:
        """K, the most that an answer can be."""
        return max(self.highest)

    def possible(self) -> Tensor:
        """Whether item j can be answered with k or more, (J,K) bool for k = 1 to K."""
        return torch.arange(1, self.steps + 1) <= torch.tensor(self.highest)[:, None]

    def membership(self) -> Tensor:
        """Whether item j measures severity d, (D,J) as float32."""
        return (torch.arange(len(self.dimensions))[:, None] == torch.tensor(self.dimension)).float()

    def named(self, name: str) -> Questionnaire:
        """The questionnaire of a scale.

        Raises:
            ValueError: It is none of them.
        """
        for one in self.questionnaires:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.questionnaires)
        raise ValueError(
            f"scale={name}: the items are of {known}, whose totals cannot stand for it: choose data/scale "
            "and data/items of one questionnaire"
        )


def _check(name: str, own: Any) -> None:
    if missing := sorted(_READ - {"dimension"} - set(own)):
        raise ValueError(f"data.items.{name} lacks {', '.join(missing)}: see conf/data/items/phq_9.yaml")
    if odd := sorted(set(own) - _READ):
        raise ValueError(
            f"data.items.{name}.{odd[0]}: nothing reads it; known are {', '.join(sorted(_READ))}"
        )
    columns, highest = own["columns"], own["highest"]
    if not columns or len(columns) != len(highest):
        raise ValueError(f"data.items.{name}: {len(columns)} columns and {len(highest)} highest answers")
    if odd := [answer for answer in highest if not 1 <= answer <= _MOST]:
        raise ValueError(f"data.items.{name}: a highest answer of {odd[0]}; it is from 1 to {_MOST}")
