"""Read a series file of any known format, recognised by its name and its column names."""

import zipfile
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from datamodules.guard import check_channels
from datamodules.series import table as tables
from datamodules.series.clnf import CLNF
from datamodules.series.format import Format
from datamodules.series.landmarks_npy import load_npy
from datamodules.series.libreface import LIBREFACE
from datamodules.series.mediapipe import MEDIAPIPE
from datamodules.series.opendbm import OPENDBM
from datamodules.series.openface import OPENFACE
from datamodules.series.plain import PLAIN, load_npz
from datamodules.series.pyfeat import PYFEAT, PYFEAT_MESH
from datamodules.series.schema import CHANNELS, Column
from datamodules.series.series import Series, UnreadableSeries
from datamodules.series.table import numbers
from datamodules.validation import nearest

# The first that recognises a file reads it: OpenDBM and MediaPipe share column names with OpenFace, py-feat
# with MediaPipe, and a plain table can be anything.
FORMATS = (CLNF, LIBREFACE, PYFEAT_MESH, PYFEAT, OPENDBM, MEDIAPIPE, OPENFACE, PLAIN)
_ARRAYS = {".npz": load_npz, ".npy": load_npy}
_CACHED_FILES = 32  # our choice: about 100 MB a worker at 40,000 frames and 17 channels, so name channels
_DAMAGE = (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error)  # all seen


def is_series(path: Path) -> bool:
    """Whether the name ends like that of a series."""
    return path.name.endswith((*_ARRAYS, *tables.SUFFIXES))


def read_series(path: Path, *, channels: Sequence[str] | None, fps: float | None = None) -> Series:
    """Read the channels of a file under their canonical names (see `schema`), row t being frame t.

    Args:
        path: The file.
        channels: Names to keep, in this order; None keeps all of the file.
        fps: Frames per second of the video, used where the file does not tell its rate.

    Raises:
        UnreadableSeries: Missing or damaged file, missing channel, wrong times, values that cannot be.
        LeakageError: A kept channel is a label, a questionnaire item or an identifier.
    """
    return _cached(path, None if channels is None else tuple(channels), fps)


def series_size(path: Path, *, fps: float | None = None) -> tuple[int, float | None]:
    """Rows and frame rate of a file, whatever its channels are.

    Raises:
        UnreadableSeries: Missing or damaged file, or wrong times.
    """
    series = _cached(path, (), fps)
    return len(series.values), series.fps


def _cached(path: Path, channels: tuple[str, ...] | None, fps: float | None) -> Series:
    stamps = []
    try:
        for file in CLNF.files(path):
            status = file.stat()
            stamps.append((file.name, status.st_mtime_ns, status.st_size))
    except FileNotFoundError as fault:
        raise UnreadableSeries(f"{path}: no such series file; correct its path in the manifest") from fault
    return _load(path, tuple(stamps), channels, fps)


@lru_cache(maxsize=_CACHED_FILES)
def _load(
    path: Path, stamps: tuple[object, ...], channels: tuple[str, ...] | None, fps: float | None
) -> Series:
    """Parse a file; `stamps` make a rewritten file, or one more sibling, another entry of the cache."""
    if not is_series(path):
        raise UnreadableSeries(
            f"{path}: a series ends in {', '.join((*_ARRAYS, *tables.SUFFIXES))}, not {path.suffix!r}"
        )
    try:
        series = (
            _from_array(path, channels, fps) if path.suffix in _ARRAYS else _from_table(path, channels, fps)
        )
    except UnreadableSeries:
        raise
    except _DAMAGE as fault:
        raise UnreadableSeries(f"{path}: not a readable series ({fault}); write it again") from fault
    if not len(series.values):
        raise UnreadableSeries(f"{path}: the series is empty; remove the recording or extract it again")
    check_channels(series.channels)
    return _complete(series, path)


def _from_array(path: Path, channels: tuple[str, ...] | None, fps: float | None) -> Series:
    series = _ARRAYS[path.suffix](path, fps)
    if series.values.ndim != 2 or series.values.shape != (len(series.valid), len(series.channels)):
        raise UnreadableSeries(
            f"{path}: values {series.values.shape} do not match {len(series.valid)} rows of 'valid' "
            f"and {len(series.channels)} channels"
        )
    if channels is None or channels == series.channels:
        return series
    _check_known(channels, series.channels, path)
    columns = [series.channels.index(name) for name in channels]
    return Series(
        values=series.values[:, columns],
        channels=channels,
        valid=series.valid,
        fps=series.fps,
        seconds=series.seconds,
    )


def recognise(path: Path) -> Format:
    """The format of a table.

    Raises:
        UnreadableSeries: A `.txt` that is none of the known formats; other tables may hold anything.
    """
    names = tables.header(path)
    for known in FORMATS:
        if known.recognises(path, names):
            return known
    raise UnreadableSeries(f"{path}: the columns are of no known format ({', '.join(names[:8])}, ...)")


def _from_table(path: Path, channels: tuple[str, ...] | None, fps: float | None) -> Series:
    known = recognise(path)
    names = known.header(path)
    held = _held(known, path, names, named=channels is not None)
    if channels is None:
        channels = tuple(held)
    _check_known(channels, tuple(held), path)
    wanted = {held[name][0] for name in channels}
    table = known.rows(known.load(path, wanted | _helpers(known, names)), path)
    line = known.timeline(table, path, fps)
    values = np.zeros((line.length, len(channels)), dtype=np.float32)
    valid = np.zeros(line.length, dtype=bool)
    valid[line.position] = known.valid(table, path)
    for number, name in enumerate(channels):
        column, held_as = held[name]
        values[line.position, number] = numbers(table, column, path) * held_as.factor
    if not known.strict:
        valid &= np.isfinite(values).all(axis=1)
        _check_limits(values[valid], channels, path, known)
    return Series(values=values, channels=channels, valid=valid, fps=line.fps, seconds=line.seconds)


def _helpers(known: Format, names: Sequence[str]) -> set[str]:
    """Columns of time, quality and faces; embeddings and text among them stay unread."""
    return {name for name in names if name in known.skipped}


def _held(known: Format, path: Path, names: Sequence[str], *, named: bool) -> dict[str, tuple[str, Column]]:
    """Column of every channel that the file holds."""
    unasked = frozenset() if named else known.only_when_named(path)
    held: dict[str, tuple[str, Column]] = {}
    for name in names:
        column = known.channel(name)
        if column is None or name in unasked:
            continue
        if column.channel in held:
            raise UnreadableSeries(
                f"{path}: columns '{held[column.channel][0]}' and '{name}' both hold '{column.channel}'; "
                "remove one of them"
            )
        held[column.channel] = (name, column)
    return held


def _check_known(channels: Sequence[str], found: Sequence[str], path: Path) -> None:
    missing = sorted(set(channels) - set(found), key=list(channels).index)
    if missing:
        raise UnreadableSeries(
            f"{path}: no channel '{missing[0]}'{nearest(missing[0], found)} (found: {', '.join(found)})"
        )


def _check_limits(values: np.ndarray, channels: Sequence[str], path: Path, known: Format) -> None:
    """A mean that cannot be is a wrong unit or a wrong column: degrees, percent, pixels."""
    if not len(values):
        return
    for name, mean in zip(channels, values.mean(axis=0, dtype=np.float64), strict=True):
        channel = CHANNELS.get(name)
        if channel is None or channel.low is None or channel.high is None:
            continue
        if not channel.low <= mean <= channel.high:
            raise UnreadableSeries(
                f"{path}: as a file of {known.name}, '{name}' has the mean {mean:g}, outside {channel.low:g} "
                f"to {channel.high:g} ({channel.unit}); convert the column"
            )


def _complete(series: Series, path: Path) -> Series:
    """Check that valid rows are complete, and set the others to 0."""
    bad = np.argwhere(~np.isfinite(series.values) & series.valid[:, None])
    if len(bad):
        row, column = bad[0]
        raise UnreadableSeries(
            f"{path}: channel '{series.channels[column]}' is {series.values[row, column]} in row {row} "
            f"({len(bad)} such values); mark rows without a measurement as invalid (column or array 'valid')"
        )
    values = np.where(series.valid[:, None], series.values, np.float32(0))
    return Series(
        values=values, channels=series.channels, valid=series.valid, fps=series.fps, seconds=series.seconds
    )
