"""Files that a table names are there: looked for one by one, and later only in folders that changed.

A folder changes its times whenever a file in it is made, renamed or removed. One whose device, number and
times are those of the last look still has the files that it had, whatever is in them. Links are followed
each time, as their aims lie elsewhere.
"""

# ruff: noqa: PTH113, PTH114, PTH116, PTH118, PTH120  # a million paths as text take seconds, as objects minutes

import logging
import os
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from datamodules.manifests.columns import file_columns
from datamodules.manifests.index.sealed_file import Damaged, read_sealed, write_sealed

_log = logging.getLogger(__name__)

_SETTLED_NS = 2 * 10**9  # our choice, the coarsest clock of a file system: later changes have a later time
_UNKNOWN = (0, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Folders:
    """Folders of a table's files as they are written in it, and the state of each at the last look.

    `states` int64 (N, 4) are device, number, and times of change of content and facts; 0 where nothing is
    believed: the folder was changed a moment ago, or holds links. `rows` are, for each, some of the table's
    rows with a file in it: whoever asks for what lies beside files needs no others.
    """

    names: tuple[str, ...]
    states: NDArray[np.int64]
    rows: tuple[tuple[int, ...], ...]

    def some_rows(self) -> list[int]:
        """Rows of all folders together, in order."""
        return sorted({row for rows in self.rows for row in rows})


def absent(cells: Sequence[str], root: Path, among: Collection[str] | None = None) -> list[int]:
    """Rows whose cell names something else than a file; of `among`, if given, only those in these folders."""
    start = str(root)
    return [
        row
        for row, value in enumerate(cells)
        if value
        and (among is None or os.path.dirname(value) in among)
        and not os.path.isfile(os.path.join(start, value))  # False for what no disk takes
    ]  # fmt: skip


def looked_at(table: pd.DataFrame, root: Path) -> Folders:
    """The folders of a table's files, as they are before the files are looked for."""
    columns = {name: table[name].tolist() for name in file_columns(table)}
    linked: set[str] = set()
    for value in {value for cells in columns.values() for value in cells if value}:
        if os.path.islink(os.path.join(root, value)):
            linked.add(os.path.dirname(value))
    told = [columns[name] for name in ("path", "series_path", "tokens_path") if name in columns]
    named_first = [next(filter(None, row), "") for row in zip(*told, strict=True)]
    rows: dict[str, set[int]] = defaultdict(set)
    for cells in (*columns.values(), named_first):
        for folder, ends in _ends(cells).items():
            rows[folder].update(ends)
    names = sorted(rows)
    states = [_UNKNOWN if name in linked else _state(root / name, settled=True) for name in names]
    held = tuple(tuple(sorted(rows[name])) for name in names)
    return Folders(tuple(names), np.array(states, dtype=np.int64).reshape(-1, 4), held)


def _ends(cells: Sequence[str]) -> dict[str, tuple[int, int]]:
    """For each folder the rows of its first and its last file by name."""
    found: dict[str, tuple[int, int]] = {}
    for row, value in enumerate(cells):
        if value:
            folder = os.path.dirname(value)
            low, high = found.setdefault(folder, (row, row))
            if value < cells[low]:
                found[folder] = row, high
            elif value > cells[high]:
                found[folder] = low, row
    return found


def changed(known: Folders, root: Path) -> set[str]:
    """Folders in which a file may be gone since the last look."""
    start = str(root)
    now = [_state(os.path.join(start, name)) for name in known.names]
    differ = (np.array(now, dtype=np.int64).reshape(-1, 4) != known.states).any(axis=1)
    return {known.names[place] for place in np.flatnonzero(differ | (known.states[:, 1] == 0)).tolist()}


def keep(folders: Folders, place: Path, source: str) -> None:
    """Store the folders of a table of that digest; a disk that refuses costs another look."""
    columns = {f"state_{at}": folders.states[:, at] for at in range(4)}
    names, rows = pa.array(folders.names, pa.large_string()), pa.array(folders.rows, pa.list_(pa.int64()))
    table = pa.table({"name": names, "rows": rows, **columns})
    try:
        write_sealed(place, table, {"source": source})
    except OSError as fault:
        _log.debug("%s cannot be written (%s): all files are looked for again", place, fault)


def kept(place: Path, source: str) -> Folders | None:
    """The folders that were stored for a table of that digest; None where all files must be looked for."""
    try:
        table, head = read_sealed(place)
    except FileNotFoundError:
        return None
    except (OSError, Damaged) as fault:
        _log.warning("%s is damaged (%s): all files are looked for again", place, fault)
        return None
    if head.get("source") != source:
        return None
    states = np.stack([table[f"state_{at}"].to_numpy() for at in range(4)], axis=1)
    rows = tuple(tuple(own) for own in table["rows"].to_pylist())
    return Folders(tuple(table["name"].to_pylist()), states, rows)


def _state(folder: Path | str, *, settled: bool = False) -> tuple[int, int, int, int]:
    """The state of a folder; nothing is known of one that is not there, or is not settled and was to be."""
    try:
        found = os.stat(folder)
    except (OSError, ValueError):
        return _UNKNOWN
    times = (found.st_mtime_ns, found.st_ctime_ns)
    if settled and time.time_ns() - max(times) < _SETTLED_NS:
        return _UNKNOWN
    return found.st_dev, found.st_ino, *times
