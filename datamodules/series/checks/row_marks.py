"""Columns that mark the rows with a face, under any name: they tell what is measured and are no channels."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from datamodules.series.formats.base import CONFIDENCE, LOST
from datamodules.series.series import Series, UnreadableSeries

_MARK = re.compile(  # of a row whose face was found, or how surely
    r"(is_?|face_?|det(ection)?_?|track(ing|er)?_?)?(valid|success|confidence|detected|found|tracked)\??"
    r"|has_?face|face_?(present|visible|ok)|tracking_?ok",
    re.IGNORECASE,
)
_OURS = frozenset({"confidence", "success", "valid"})


def is_mark(name: str) -> bool:
    """Whether a column is named like a mark of rows with a face, under another name than ours.

    Examples:
        >>> is_mark("is_valid"), is_mark("Face Detected"), is_mark("valid"), is_mark("face_width")
        (True, True, False, False)
    """
    plain = re.sub(r"[\s_.]+", "_", name.strip())
    return plain.lower() not in _OURS and _MARK.fullmatch(plain) is not None


def check_marks(path: Path, channels: Sequence[str]) -> None:
    """Stop where somebody asks for a mark of rows without a face as a channel: it is no behavior.

    Raises:
        UnreadableSeries: Names the column and the remedy.
    """
    for name in channels:
        if is_mark(name):
            raise UnreadableSeries(
                f"{path}: '{name}' tells which rows were measured and is no channel; leave it out"
            )


def marked(
    path: Path, marks: Mapping[str, np.ndarray], *, named: bool
) -> tuple[np.ndarray | bool, list[str]]:
    """Rows (n,) that all marks call measured, and remarks on the others.

    A mark is a column of 0 and 1 under another name than `valid` and `success`, such as `is_valid`, or shares
    under another name than `confidence`, which count from 0.8 on.

    Args:
        path: The file, for messages.
        marks: Name -> values (n,), NaN where there is no number.
        named: Channels were named; what is no mark by its values is left out then.

    Raises:
        UnreadableSeries: The values of such a column are neither marks nor shares.
    """
    valid: np.ndarray | bool = True
    notes = []
    for name, values in marks.items():
        known = values[~np.isnan(values)]
        if np.isin(known, (0, 1)).all():
            found, what = values == 1, "1 for a row with a measurement"
        elif name.lower().endswith("confidence") and (((known >= 0) & (known <= 1)) | (known == LOST)).all():
            found, what = values >= CONFIDENCE, f"{CONFIDENCE:g} or more for a row with a measurement"
        elif named:
            continue
        else:
            odd = known[~np.isin(known, (0, 1))][0]
            raise UnreadableSeries(
                f"{path}: '{name}' tells by its name which rows were measured, and holds {odd:g}; write 1 or "
                "0 (a share from 0 to 1 if it is a confidence), remove it, or name the channels to use"
            )
        valid = valid & found
        if not found.all():
            notes.append(
                f"{path}: '{name}' is taken for {what}; {(~found).sum()} of {len(found)} rows are "
                "not measured"
            )
    return valid, notes


def check_lost(series: Series, path: Path) -> None:
    """Stop where a column of an array marks rows as lost that count as measured.

    Raises:
        UnreadableSeries: Names the column and the remedy.
    """
    for name, least in (("valid", 1.0), ("success", 1.0), ("confidence", CONFIDENCE)):
        for column in [place for place, own in enumerate(series.channels) if own.lower() == name]:
            lost = int((series.valid & ~(series.values[:, column] >= least)).sum())
            if lost:
                raise UnreadableSeries(
                    f"{path}: column '{series.channels[column]}' of 'values' marks {lost} rows as lost that "
                    "count as measured; store true or false for every row in the array 'valid'"
                )
