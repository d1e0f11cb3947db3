"""Rows that repeat: how long values stay the same, and blocks of rows that come a second time.

Letters: `T` rows, `F` channels.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COUNTED = 10  # whole numbers that span no more are counts or marks, as the presence of action units
_CHUNK = 64  # channels at once
_WIDE = 8  # channels with which 4 rows cannot be equal by chance; all our choice
FEWEST_ROWS = {True: 4, False: 8}  # of a repeated block, of wide arrays and of others


@dataclass(frozen=True)
class Stretch:
    """Equal rows that follow each other: the first one and how many."""

    start: int
    rows: int


@dataclass(frozen=True)
class Block:
    """Rows that come twice: `rows` from `first` on are those from `again` on."""

    first: int
    again: int
    rows: int


def measured_on(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Channels (F,) on a scale: neither counted, as marks and presences are, nor the same in every row."""
    low, high = values.min(axis=0), values.max(axis=0)
    whole = np.ones(values.shape[1], dtype=bool)
    if values.dtype.kind == "f":
        whole = np.array([(column == np.rint(column)).all() for column in values.T])
    return np.asarray((high > low) & ~(whole & (high - low <= _COUNTED)))


def longest_runs(values: NDArray[Any]) -> NDArray[np.int64]:
    """Rows of the longest stretch without a change of each channel (F,), of (T, F)."""
    place = np.arange(len(values))[:, None]
    found = []
    for start in range(0, values.shape[1], _CHUNK):
        part = values[:, start : start + _CHUNK]
        changed = np.ones(part.shape, dtype=bool)
        changed[1:] = part[1:] != part[:-1]
        begun = np.maximum.accumulate(np.where(changed, place, 0), axis=0)
        found.append((place - begun).max(axis=0) + 1)
    return np.concatenate(found)


def longest_stretch(values: NDArray[Any], rows: NDArray[np.int64]) -> Stretch:
    """The longest stretch of equal rows (T, F), whatever rows without a measurement lie between them.

    Rows of zeros alone are left out: that is how extractors write that there was nothing.

    Args:
        values: Of channels on a scale.
        rows: Their numbers (T,).
    """
    same = np.zeros(len(values), dtype=bool)
    same[1:] = (values[1:] == values[:-1]).all(axis=1) & values[1:].any(axis=1)
    place = np.arange(len(values))
    length = place - np.maximum.accumulate(np.where(same, 0, place)) + 1
    end = int(length.argmax())
    return Stretch(int(rows[end - length[end] + 1]), int(length[end]))


def repeated_block(values: NDArray[Any], rows: NDArray[np.int64]) -> Block | None:
    """The longest block of rows (T, F) that comes again, where it is too long for chance.

    Stretches of equal rows count as one row, so that neither a still picture nor rows written several times
    each are a block.

    Args:
        values: Of channels on a scale.
        rows: Their numbers (T,).
    """
    marks = np.array([hash((row + 0.0).tobytes()) for row in np.asarray(values, dtype=np.float64)])
    new = np.flatnonzero(np.concatenate([[True], marks[1:] != marks[:-1]]))
    ids = marks[new]
    if len(np.unique(ids)) == len(ids):
        return None
    order = np.argsort(ids, kind="stable")
    before = np.full(len(ids), -1)
    again = ids[order][1:] == ids[order][:-1]
    before[order[1:][again]] = order[:-1][again]  # the last time that the row was there
    lag = np.where(before >= 0, np.arange(len(ids)) - before, -1)
    same = np.concatenate([[False], (lag[1:] == lag[:-1]) & (lag[1:] > 0)])
    place = np.arange(len(ids))
    length = np.where(lag > 0, place - np.maximum.accumulate(np.where(same, 0, place)) + 1, 0)
    end = int(length.argmax())
    own = slice(end - int(length[end]) + 1, end + 1)
    fewest = FEWEST_ROWS[values.shape[1] >= _WIDE]
    if (
        length[end] < fewest
        or len(np.unique(ids[own])) < min(fewest, int(lag[end]))
        or lag[end] < FEWEST_ROWS[True]
    ):
        return None
    first, last = own.start - int(lag[end]), end
    return Block(
        int(rows[new[first]]), int(rows[new[own.start]]), int(rows[new[last]] - rows[new[own.start]] + 1)
    )
