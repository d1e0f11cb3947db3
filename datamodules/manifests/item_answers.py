"""Answers to the items of questionnaires as targets: which columns, in which order, and what training knows.

Letters: N recordings, J items, K the most that an answer can be.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from datamodules.manifests.index.arrow_table import Column
from datamodules.manifests.index.shared_columns import SharedColumns
from datamodules.manifests.questionnaires import ITEMS
from datamodules.wording import nearest

TARGET = "items"
"""Name of these targets in a batch."""

Questionnaires = Mapping[str, Mapping[str, str | int | Sequence[str] | Sequence[int]]]
"""Name of a scale -> its plain data, of which `columns` are read here: the item columns of a manifest."""


def item_columns(questionnaires: Questionnaires | None) -> tuple[str, ...]:
    """The item columns of all questionnaires, one after the other, as they are written down.

    Raises:
        ValueError: A column is no item of a questionnaire that is known.

    Examples:
        >>> item_columns({"PHQ-2": {"columns": ["item_phq9_1", "item_phq9_2"]}})
        ('item_phq9_1', 'item_phq9_2')
    """
    plain: Mapping[str, Any] = questionnaires or {}
    columns = tuple(name for own in plain.values() for name in own["columns"])
    if odd := [name for name in columns if name not in ITEMS]:
        raise ValueError(
            f"data.items: {odd[0]!r} is no item column{nearest(odd[0], ITEMS)}; see "
            "datamodules.manifests.questionnaires.ITEMS"
        )
    return columns


def item_answers(table: pd.DataFrame, columns: Sequence[str]) -> SharedColumns:
    """Answers by column (N,) as float64, NaN where there is none, as in a table without the column."""
    return SharedColumns(
        {
            name: table[name].to_numpy(dtype=np.float64, na_value=np.nan)
            if name in table
            else np.full(len(table), np.nan)
            for name in columns
        }
    )


def answers_of_row(
    answers: Mapping[str, Column], row: int, *, known: bool
) -> tuple[dict[str, list[int]], dict[str, list[bool]]]:
    """Targets of a row by name, its answers (J,) and whether each is known; nothing where none are chosen.

    Args:
        answers: As `item_answers` gives them.
        row: Of the manifest.
        known: False for a recording that is context only: it has no answers, as it has no other label.
    """
    if not answers:
        return {}, {}
    values = [float(column[row]) for column in answers.values()]
    given = [known and not math.isnan(value) for value in values]
    whole = [int(value) if one else 0 for value, one in zip(values, given, strict=True)]
    return {TARGET: whole}, {TARGET: given}


def item_statistics(answers: SharedColumns) -> dict[str, Tensor | float]:
    """What heads of items start from: shares and correlations of the answers, which name no person.

    Returns:
        `item_shares`, of the answers to item j those that are k or more for k = 1 to K, item by item (J*K,),
        -1 where nobody answered; `item_correlations`, row by row (J*J,), 0 where nobody answered both or one
        answer never changed. Nothing where there are no items, or no answers at all.
    """
    if not len(answers):
        return {}
    values: NDArray[np.float64] = np.stack([np.asarray(column) for column in answers.values()], axis=1)
    known = ~np.isnan(values)
    if not known.any():
        return {}
    steps = np.arange(1, max(ITEMS[name] for name in answers) + 1)
    reached = (values[:, :, None] >= steps).sum(axis=0)  # NaN reaches nothing
    given = known.sum(axis=0)[:, None]
    shares = np.divide(reached, given, out=np.full(reached.shape, -1.0), where=given > 0)
    correlations = pd.DataFrame(values).corr(min_periods=3).to_numpy()
    return {
        "item_shares": torch.from_numpy(shares.flatten()).float(),
        "item_correlations": torch.from_numpy(np.nan_to_num(correlations).flatten()).float(),
    }
