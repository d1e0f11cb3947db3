"""Questionnaires by item: which columns of a manifest make a total, and which answers are valid.

Answers are kept raw; a total is doubled where the scale says so (DASS-21). The wording of items is no part of
this table.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from datamodules.manifests.scales import SCALES, Scale
from datamodules.wording import first_few

PRORATED_SHARE = 0.2  # our choice: the person's mean serves up to a fifth of the items (Downey & King 1998)

Missing = Literal["refuse", "prorate", "unknown"]
"""What an incomplete questionnaire becomes: an error; `J / answered` times the sum of its answers, rounded
half up to a possible sum, if at most `PRORATED_SHARE` of its items are missing (else an error); or no total.
"""

_SHOWN = 5  # faults named in a message


class ItemError(ValueError):
    """Answers that do not belong to the questionnaire, or are missing; the message names them."""


@dataclass(frozen=True, kw_only=True)
class Subscale:
    """The items of one total, in the order of the questionnaire.

    Args:
        scale: Range, bands and doubling of the total.
        columns: Item columns of a manifest, (J,).
        highest: Highest answer of each item, (J,); the lowest is 0.

    Examples:
        >>> anxiety = subscale("DASS-21-A")
        >>> anxiety.total(pd.DataFrame([[1] * 7], columns=anxiety.columns)).tolist()
        [14.0]
    """

    scale: Scale
    columns: tuple[str, ...]
    highest: tuple[int, ...]

    def answers(self, table: pd.DataFrame) -> pd.DataFrame:
        """Raw answers (N, J), NaN where there is none, with the index of the table.

        Raises:
            ItemError: A column is missing, or a value is not a whole number from 0 to the item's highest.
        """
        if absent := [name for name in self.columns if name not in table]:
            raise ItemError(
                f"{self.scale.name} needs the columns {self.columns[0]} to {self.columns[-1]}; "
                f"{', '.join(absent[:_SHOWN])} missing: add them, or choose a scale whose items are there"
            )
        found: pd.DataFrame = table[list(self.columns)].astype(np.float64)
        values = found.to_numpy()
        possible = (values >= 0) & (values <= np.array(self.highest)) & (values == np.floor(values))
        bad = ~np.isnan(values) & ~possible
        if bad.any():
            raise ItemError(self._faults(table, values, bad))
        return found

    def total(self, table: pd.DataFrame, *, missing: Missing = "refuse") -> "pd.Series[float]":
        """Totals (N,), doubled where the scale is, with the index of the table.

        Raises:
            ItemError: As in `answers`, or a questionnaire is incomplete beyond what `missing` allows.
            ValueError: No such rule for missing items.
        """
        if missing not in ("refuse", "prorate", "unknown"):
            raise ValueError(f"missing={missing!r}: choose 'refuse', 'prorate' or 'unknown'")
        answers = self.answers(table)
        given = answers.notna().sum(axis=1).to_numpy()
        gaps = len(self.columns) - given
        allowed = {"refuse": 0, "prorate": int(PRORATED_SHARE * len(self.columns)), "unknown": len(self)}
        if (refused := np.flatnonzero(gaps > allowed[missing])).size:
            raise ItemError(self._gaps(table, refused, gaps, allowed[missing]))
        sums = answers.sum(axis=1).to_numpy()
        if missing == "prorate":
            sums = np.floor(sums * len(self) / given + 0.5)
        sums = np.where((gaps > 0) & (missing == "unknown"), np.nan, sums)
        return pd.Series(sums * (2 if self.scale.doubled else 1), index=table.index, name=self.scale.name)

    def within(self, table: pd.DataFrame) -> "Subscale":
        """This subscale under the names that a table has: the first eight items of a PHQ-9 are a PHQ-8."""
        longer = tuple(name.replace("phq8", "phq9") for name in self.columns)
        if not set(self.columns) & set(table) and set(longer) <= set(table):
            return replace(self, columns=longer)
        return self

    def __len__(self) -> int:
        return len(self.columns)

    def _faults(self, table: pd.DataFrame, values: np.ndarray, bad: np.ndarray) -> str:
        rows, items = np.nonzero(bad)
        named = [
            f"{self.columns[item]} of {_name(table, row)} is {values[row, item]:g} "
            f"(0 to {self.highest[item]})"
            for row, item in zip(rows[:_SHOWN], items[:_SHOWN], strict=True)
        ]
        return (
            f"{first_few(named, of=len(rows))}; answers of {self.scale.name} are whole numbers from 0: "
            "correct them, subtract 1 from items coded from 1, leave unanswered ones empty"
        )

    def _gaps(self, table: pd.DataFrame, rows: np.ndarray, gaps: np.ndarray, allowed: int) -> str:
        named = [f"{_name(table, row)} ({gaps[row]} of {len(self)})" for row in rows[:_SHOWN]]
        return (
            f"{self.scale.name}: more than {allowed} unanswered items in {first_few(named, of=len(rows))}; "
            "complete them, leave these rows out, or say missing='prorate' or 'unknown'"
        )


def subscale(name: str) -> Subscale:
    """The items of a scale of `datamodules.manifests.scales.SCALES`.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in SUBSCALES:
        raise ValueError(f"no items of {name!r} are known; choose one of {', '.join(SUBSCALES)}")
    return SUBSCALES[name]


def _name(table: pd.DataFrame, row: int) -> str:
    return str(table["recording_id"].iloc[row] if "recording_id" in table else f"row {table.index[row]}")


def _of(scale: str, prefix: str, numbers: Iterable[int], digits: int, highest: int = 3) -> Subscale:
    columns = tuple(f"item_{prefix}_{number:0{digits}d}" for number in numbers)
    return Subscale(scale=SCALES[scale], columns=columns, highest=(highest,) * len(columns))


_HAMD_SHORT = (4, 5, 6, 12, 13, 14, 16, 17)  # answered 0-2, the others 0-4 (Hamilton 1960)
_HAMD = replace(
    _of("HAMD-17", "hamd17", range(1, 18), 2),
    highest=tuple(2 if number in _HAMD_SHORT else 4 for number in range(1, 18)),
)
_DASS = {  # Lovibond & Lovibond 1995, items of the short form
    "DASS-21-D": (3, 5, 10, 13, 16, 17, 21),
    "DASS-21-A": (2, 4, 7, 9, 15, 19, 20),
    "DASS-21-S": (1, 6, 8, 11, 12, 14, 18),
}

SUBSCALES: Mapping[str, Subscale] = MappingProxyType(
    {
        "BDI-II": _of("BDI-II", "bdi2", range(1, 22), 2),
        "PHQ-8": _of("PHQ-8", "phq8", range(1, 9), 1),
        "PHQ-9": _of("PHQ-9", "phq9", range(1, 10), 1),
        "HAMD-17": _HAMD,
        **{name: _of(name, "dass21", numbers, 2) for name, numbers in _DASS.items()},
    }
)

ITEMS: Mapping[str, int] = MappingProxyType(
    {
        column: highest
        for items in SUBSCALES.values()
        for column, highest in zip(items.columns, items.highest, strict=True)
    }
)
"""Columns of items, and the highest answer of each."""
