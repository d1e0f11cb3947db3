"""One pass over the files of a corpus: each is read once, and only its facts are kept."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.columns import file_columns
from datamodules.progress import Progress
from datamodules.series.formats.clnf import session_files
from datamodules.xray.arrays import ARRAY_SUFFIXES, NoArray, part_of, read_raw
from datamodules.xray.measured import Measured, measure

_DATA = (*ARRAY_SUFFIXES, ".pkl", ".h5", ".hdf5", ".mat", ".json", ".pt", ".wav", ".mp3", ".flac", ".mp4",
         ".avi", ".mov", ".mkv", ".webm", ".jpg", ".jpeg", ".png")  # fmt: skip
_BINS = 48  # of the logarithm of lengths, two an octave
ANY = "file"  # the column of files that no table names


@dataclass(eq=False)
class ChannelRuns:
    """How long the channels (F,) of a set stay the same, summed up over the files where they move at all."""

    channels: tuple[str, ...]
    counts: NDArray[np.int64]  # (F, bins) of files by the longest stretch
    scaled: NDArray[np.int64]  # (F,) files in which the channel is on a scale
    low: NDArray[np.float64]  # (F,) of all files in which it moves
    high: NDArray[np.float64]

    @classmethod
    def empty(cls, channels: tuple[str, ...]) -> "ChannelRuns":
        """Of no file."""
        width = len(channels)
        counts, ends = np.zeros((width, _BINS + 1), dtype=np.int64), np.full(width, np.inf)
        return cls(channels, counts[:, :-1], counts[:, -1], ends, -ends)

    def add(self, one: Measured) -> None:
        """Count a file; channels that never change in it are not counted."""
        alive = np.flatnonzero(one.runs < one.valid)
        bins = np.minimum(np.ceil(2 * np.log2(one.runs[alive])).astype(np.int64), _BINS - 1)
        self.counts[alive, bins] += 1
        self.scaled += one.scaled
        self.low[alive] = np.minimum(self.low[alive], one.low[alive])
        self.high[alive] = np.maximum(self.high[alive], one.high[alive])

    def alive(self) -> NDArray[np.int64]:
        """Files (F,) in which each channel moves."""
        return np.asarray(self.counts.sum(axis=1))

    def usual(self, share: float) -> NDArray[np.float64]:
        """Rows (F,) that the longest stretch does not exceed in that share of the files; 0 without a file."""
        total = self.counts.sum(axis=1)
        bins = (self.counts.cumsum(axis=1) < share * total[:, None]).sum(axis=1)
        return np.where(total > 0, 2.0 ** (bins / 2), 0.0)


@dataclass(eq=False)
class Survey:
    """What was found in the files: facts of those that were read, and why others were not."""

    measured: list[Measured] = field(default_factory=list)
    runs: dict[str, ChannelRuns] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def sets(self) -> dict[str, list[Measured]]:
        """Files that may be compared, by set."""
        found: dict[str, list[Measured]] = defaultdict(list)
        for one in self.measured:
            found[one.set].append(one)
        return found


def survey(table: pd.DataFrame, root: Path) -> Survey:
    """Read every array that a table names.

    Args:
        table: With `recording_id` and any columns of files.
        root: Folder that their paths start at.
    """
    named = arrays_of(table, root)
    return _read({file: (column, owners) for file, (column, owners) in named.items()}, root)


def survey_folder(root: Path) -> Survey:
    """Read every array below a folder that has no table; its files are its recordings."""
    files = [file for file in visible(root) if file.name.endswith((".npy", ".npz", ".parquet", ".csv"))]
    return _read({file: (ANY, (relative(file, root),)) for file in files}, root)


def _read(files: dict[Path, tuple[str, tuple[str, ...]]], root: Path) -> Survey:
    found = Survey()
    for file, (column, owners) in Progress(files.items(), desc="X-ray", unit="file"):
        name = relative(file, root)
        try:
            one = measure(read_raw(file), file=name, column=column, owners=owners)
        except (NoArray, MemoryError) as fault:
            found.unreadable.append((name, str(fault) or type(fault).__name__))
            continue
        if not one.valid:
            found.unreadable.append(
                (name, "no row is valid: nothing was measured, or its mask is turned round")
            )
        if len(one.channels):
            found.runs.setdefault(one.set, ChannelRuns.empty(one.channels)).add(one)
        found.measured.append(one.lean())
    return found


def arrays_of(table: pd.DataFrame, root: Path) -> dict[Path, tuple[str, tuple[str, ...]]]:
    """Arrays that a table names, with the column and the recordings; of CLNF the files beside one, too."""
    owners: dict[Path, dict[str, None]] = defaultdict(dict)
    columns: dict[Path, str] = {}
    for column in file_columns(table):
        for name, cell in zip(table["recording_id"].astype(str), table[column], strict=True):
            if not isinstance(cell, str) or not cell.endswith(ARRAY_SUFFIXES):
                continue
            for file in _siblings(root / cell):
                part = part_of(file)
                columns.setdefault(file, f"{column}:{part}" if part else column)
                owners[file][name] = None
    return {file: (column, tuple(owners[file])) for file, column in columns.items()}


def _siblings(path: Path) -> Sequence[Path]:
    try:
        return session_files(path)
    except OSError:
        return (path,)


def empty_files(root: Path, named: Sequence[Path], *, below: bool) -> tuple[list[Path], int]:
    """Files of data without a byte, and how many were looked at.

    Args:
        root: Of the corpus.
        named: Files that a table names.
        below: Look at all files below the root; else at those in the folders of the named ones.
    """
    folders = {file.parent for file in named}
    beside = visible(root) if below else [file for folder in folders for file in _in(folder)]
    files = {*named, *(file for file in beside if file.name.endswith(_DATA))}
    there = [file for file in sorted(files) if file.is_file()]
    return [file for file in there if not file.stat().st_size], len(there)


def visible(root: Path) -> list[Path]:
    """Files below a folder without hidden ones, in the order of their names."""
    return [
        file
        for file in sorted(root.rglob("*"))
        if not any(part.startswith(".") for part in file.relative_to(root).parts) and file.is_file()
    ]


def _in(folder: Path) -> list[Path]:
    return [file for file in folder.iterdir() if file.is_file()] if folder.is_dir() else []


def relative(file: Path, root: Path) -> str:
    """The path from the root on, or the whole path of a file that lies elsewhere."""
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
