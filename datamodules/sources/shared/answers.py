"""The 21 answers of the DASS-21 by person, from a table with the columns `d01` to `d21`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.manifests.questionnaires import SUBSCALES, subscale
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.shared.label_table import numbers, read_labels
from datamodules.wording import first_few, nearest

ITEMS = {f"d{number:02d}": f"item_dass21_{number:02d}" for number in range(1, 22)}
"""Column of an answer in a table of AdoDAS, and in a manifest."""

_SCALES = tuple(name for name in SUBSCALES if name.startswith("DASS-21"))
_ANSWERS = (0, 1, 2, 3)


def read_answers(path: Path, *, keys: Sequence[str], scale: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """Answers, scale and total of every person; a total with an unanswered item is unknown.

    Args:
        path: The table.
        keys: Columns that name a person.
        scale: DASS-21-D, DASS-21-A or DASS-21-S.

    Returns:
        Keys of a person -> `item_dass21_01` to `item_dass21_21`, `scale`, `score`.

    Raises:
        SourceError: Another scale, a column that is missing or not known, a person who comes twice, or an
            answer that is not 0, 1, 2 or 3.
    """
    if scale not in _SCALES:
        raise SourceError(f"scale={scale!r}{nearest(scale, _SCALES)}; choose one of {', '.join(_SCALES)}")
    columns = {**{name: [name] for name in keys}, **{ours: [theirs] for theirs, ours in ITEMS.items()}}
    table = read_labels(path, columns)
    if strange := [str(name) for name in table if name not in columns]:
        raise SourceError(
            f"{path}: the columns {first_few(strange)} are not those of the challenge ({', '.join(keys)}, "
            "d01 to d21), and nothing is known of them; give a copy of the table without them"
        )
    answers = pd.DataFrame({name: _answers(table, name, path) for name in ITEMS.values()}, dtype=float)
    totals = subscale(scale).total(answers, missing="unknown")
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row, key in enumerate(zip(*(table[name] for name in keys), strict=True)):
        if not all(key) or key in found:
            raise SourceError(
                f"{path}: {'/'.join(key)} in line {row + 2} is incomplete or comes twice; correct it"
            )
        own = {str(name): answer for name, answer in answers.iloc[row].items()}
        found[key] = {**own, "scale": scale, "score": totals.iloc[row]}
    return found


def _answers(table: pd.DataFrame, name: str, path: Path) -> list[float | None]:
    values = numbers(table, name, path, empty=True)
    for line, value in enumerate(values, start=2):
        if value is not None and value not in _ANSWERS:
            theirs = next(one for one, ours in ITEMS.items() if ours == name)
            raise SourceError(
                f"{path}: '{theirs}' is {value:g} in line {line}; answers of the DASS-21 are 0, 1, 2 or 3"
            )
    return values
