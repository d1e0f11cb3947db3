"""Feature series beside or instead of a video: action units, gaze, landmarks, one row a frame."""

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.guard import check_channels
from datamodules.validation import nearest

_CACHED_FILES = 32  # our choice: about 100 MB a worker at 40,000 frames and 17 channels
_DAMAGE = (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error)  # all seen
_NOT_CHANNELS = ("valid", "timestamp")


class UnreadableSeries(ValueError):
    """A series file that is missing, damaged or not the table it should be."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """`values` float32 (T, F) in raw units, 0 where `valid` (T,) is False; `fps` in frames/s if known."""

    values: np.ndarray
    channels: tuple[str, ...]
    valid: np.ndarray
    fps: float | None


def read_series(path: Path, *, channels: Sequence[str] | None) -> Series:
    """Read `.npz` (`values`, `channels`, optional `fps`, `valid`) or a table with a column a channel.

    Args:
        path: The file: `.npz`, `.csv` or `.parquet`. In tables `valid` and `timestamp` (seconds) are no
            channels.
        channels: Names to keep, in this order; None keeps all of the file.

    Raises:
        UnreadableSeries: Missing or damaged file, missing channel, or a valid row that is not finite.
        LeakageError: A kept channel is a label, a questionnaire item or an identifier.
    """
    series = _parsed(path)
    if channels is not None and tuple(channels) != series.channels:
        series = _select(series, tuple(channels), path)
    check_channels(series.channels)
    bad = np.argwhere(~np.isfinite(series.values) & series.valid[:, None])
    if len(bad):
        row, column = bad[0]
        raise UnreadableSeries(
            f"{path}: channel '{series.channels[column]}' is {series.values[row, column]} in row {row} "
            f"({len(bad)} such values); mark rows without a measurement as invalid (column or array 'valid')"
        )
    values = np.where(series.valid[:, None], series.values, np.float32(0))
    return Series(values=values, channels=series.channels, valid=series.valid, fps=series.fps)


def series_size(path: Path) -> tuple[int, float | None]:
    """Rows and frame rate of a file, whatever its channels are.

    Raises:
        UnreadableSeries: Missing or damaged file.
    """
    series = _parsed(path)
    return len(series.values), series.fps


def _parsed(path: Path) -> Series:
    try:
        return _load(path, path.stat().st_mtime_ns)
    except FileNotFoundError as fault:
        raise UnreadableSeries(f"{path}: no such series file; correct its path in the manifest") from fault


def _select(series: Series, channels: tuple[str, ...], path: Path) -> Series:
    missing = [name for name in channels if name not in series.channels]
    if missing:
        raise UnreadableSeries(
            f"{path}: no channel '{missing[0]}'{nearest(missing[0], series.channels)} "
            f"(found: {', '.join(series.channels)})"
        )
    columns = [series.channels.index(name) for name in channels]
    return Series(values=series.values[:, columns], channels=channels, valid=series.valid, fps=series.fps)


@lru_cache(maxsize=_CACHED_FILES)
def _load(path: Path, stamp: int) -> Series:
    """Parse a file; `stamp` makes a rewritten file another entry of the cache."""
    readers = {".npz": _load_npz, ".csv": _load_table, ".parquet": _load_table}
    if path.suffix not in readers:
        raise UnreadableSeries(f"{path}: a series ends in {', '.join(readers)}, not {path.suffix!r}")
    try:
        series = readers[path.suffix](path)
    except _DAMAGE as fault:
        raise UnreadableSeries(f"{path}: not a readable series ({fault}); write it again") from fault
    if series.values.ndim != 2 or series.values.shape != (len(series.valid), len(series.channels)):
        raise UnreadableSeries(
            f"{path}: values {series.values.shape} do not match {len(series.valid)} rows of 'valid' "
            f"and {len(series.channels)} channels"
        )
    if not len(series.values):
        raise UnreadableSeries(f"{path}: the series is empty; remove the recording or extract it again")
    return series


def _load_npz(path: Path) -> Series:
    with np.load(path, allow_pickle=False) as archive:
        values = np.asarray(archive["values"], dtype=np.float32)
        valid = archive["valid"].astype(bool) if "valid" in archive else np.ones(len(values), dtype=bool)
        return Series(
            values=values,
            channels=tuple(str(name) for name in archive["channels"]),
            valid=valid,
            fps=float(archive["fps"]) if "fps" in archive else None,
        )


def _load_table(path: Path) -> Series:
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    table.columns = pd.Index([str(name).strip() for name in table.columns])  # OpenFace writes leading blanks
    names = tuple(name for name in table.columns if name not in _NOT_CHANNELS)
    fps = None
    if "timestamp" in table and len(table) > 1:
        fps = float(1 / np.median(np.diff(table["timestamp"].to_numpy(dtype=np.float64))))
    return Series(
        values=table[list(names)].to_numpy(dtype=np.float32),
        channels=names,
        valid=table["valid"].to_numpy(dtype=bool) if "valid" in table else np.ones(len(table), dtype=bool),
        fps=fps,
    )
