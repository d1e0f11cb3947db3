"""Whether two recording tables may be compared row by row: the same recordings, persons and targets."""

from collections.abc import Iterable

import pandas as pd

from evaluation.tables.predictions import HEADS

_SHOWN = 5  # recordings named per difference


def check_paired(
    a: pd.DataFrame, b: pd.DataFrame, *, names: tuple[object, object] = ("the first table", "the second")
) -> None:
    """Refuse two tables that do not hold the same recordings once each, with the same persons and targets.

    Args:
        a: Recording table.
        b: Another one; the order of the rows does not matter.
        names: Of both, for the message.

    Raises:
        ValueError: Names what only one of them has, or where they disagree.
    """
    left, right = (set(table["recording_id"]) for table in (a, b))
    if left != right or len(left) < max(len(a), len(b)):
        raise ValueError(
            f"{names[0]} and {names[1]} must hold the same recordings once each: only the first has "
            f"{some(left - right)}; only the second has {some(right - left)}"
        )
    one, other = (table.set_index("recording_id") for table in (a, b))
    for column in ["subject_id", *(f"{head}_target" for head in HEADS)]:
        if column not in one or column not in other:
            continue
        x, y = one[column], other[column].loc[one.index]
        differ = ~((x == y) | (x.isna() & y.isna()))
        if differ.any():
            raise ValueError(
                f"{names[0]} and {names[1]} disagree on '{column}' of {some(x.index[differ])}: "
                "they come from different data"
            )


def some(names: Iterable[str]) -> str:
    """The first of some names, and how many there are besides."""
    ordered = sorted(names)
    rest = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return (", ".join(ordered[:_SHOWN]) or "none") + rest
