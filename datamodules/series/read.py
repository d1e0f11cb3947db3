"""Reading of series files of any known format, recognized by file name and column names."""

import logging
import multiprocessing
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.feature_leakage.channels import check_channels
from datamodules.real_path import real_path
from datamodules.series import disk_cache, memory_cache
from datamodules.series import table as tables
from datamodules.series.channel_schema import CHANNELS, Column
from datamodules.series.checks.conflicting_clocks import other_clocks, seconds_of
from datamodules.series.checks.counter_columns import TRACKING, is_clock, is_counter, is_counting, is_rate
from datamodules.series.checks.file_size import check_cells, check_file
from datamodules.series.checks.row_marks import check_lost, check_marks, is_mark, marked
from datamodules.series.checks.similar_names import check_alike
from datamodules.series.checks.tracking_columns import is_bookkeeping, left_out
from datamodules.series.checks.value_range import check_bounds, check_means, check_plain
from datamodules.series.formats.base import QUALITY, Format, is_blank
from datamodules.series.formats.clnf import CLNF, session_files
from datamodules.series.formats.faces import FACES
from datamodules.series.formats.landmarks_npy import load_npy
from datamodules.series.formats.libreface import LIBREFACE
from datamodules.series.formats.mediapipe import MEDIAPIPE
from datamodules.series.formats.opendbm import OPENDBM
from datamodules.series.formats.openface import OPENFACE
from datamodules.series.formats.plain import PLAIN, load_npz
from datamodules.series.formats.pyfeat import PYFEAT, PYFEAT_MESH
from datamodules.series.series import Series, UnreadableSeries
from datamodules.series.table import measurements, numbers
from datamodules.wording import first_few, nearest

_log = logging.getLogger(__name__)
Stamps = tuple[tuple[Path, int, int], ...]

# The first that recognises a file reads it: OpenDBM and MediaPipe share column names with OpenFace, py-feat
# with MediaPipe, and a plain table can be anything.
FORMATS = (CLNF, LIBREFACE, PYFEAT_MESH, PYFEAT, OPENDBM, MEDIAPIPE, OPENFACE, FACES, PLAIN)
_ARRAYS = {".npz": load_npz, ".npy": load_npy}
_NO_ROW = "{path}: the series has no row, it is empty; remove the recording or extract it again"


def is_series(path: Path) -> bool:
    """Whether the name ends like that of a series."""
    return path.name.endswith((*_ARRAYS, *tables.SUFFIXES))


def read_series(path: Path, *, channels: Sequence[str] | None, fps: float | None = None) -> Series:
    """Read the channels of a file under their canonical names (see `channel_schema`), row t being frame t.

    Args:
        path: The file.
        channels: Names to keep, in this order; None keeps all of the file.
        fps: Frames per second of the video, used where the file does not tell its rate.

    Raises:
        UnreadableSeries: Missing or damaged file, missing channel, wrong times, values that cannot be.
        LeakageError: A kept channel is a label, a questionnaire item or an identifier.
    """
    return _cached(path, None if channels is None else tuple(channels), fps)


def offered_channels(path: Path) -> tuple[str, ...]:
    """Names of the channels that a file holds, including those that may not be read.

    Raises:
        UnreadableSeries: Missing or damaged file.
    """
    try:
        if path.suffix in _ARRAYS:
            return _ARRAYS[path.suffix](path, None).channels
        known = recognise(path)
        columns = [known.channel(name) for name in known.header(path)]
    except UnreadableSeries:
        raise
    except Exception as fault:  # whatever parsers make of foreign bytes
        raise UnreadableSeries(
            f"{path}: not a readable series ({type(fault).__name__}: {fault}); copy or extract it again"
        ) from fault
    return tuple(dict.fromkeys(column.channel for column in columns if column is not None))


def series_size(path: Path, *, fps: float | None = None) -> tuple[int, float | None]:
    """Rows and frame rate of a file, whatever its channels are.

    Raises:
        UnreadableSeries: Missing or damaged file, or wrong times.
    """
    series = _cached(path, (), fps)
    return len(series.values), series.fps


def _cached(path: Path, channels: tuple[str, ...] | None, fps: float | None) -> Series:
    """The series from memory, from its parsed copy on disk, or parsed now."""
    stamps = _stamps(path)
    key = (path, stamps, channels, fps)
    return memory_cache.KEPT.get(key, lambda: _opened(path, stamps, channels, fps))


def _stamps(path: Path) -> Stamps:
    """Path, size and time of every file that is read; a rewritten one, or a new sibling, is another key.

    Raises:
        UnreadableSeries: There is no such file, or nobody may look at it.
    """
    try:
        status = [(file, file.stat()) for file in session_files(path)]
    except FileNotFoundError as fault:
        raise UnreadableSeries(f"{path}: no such series file; correct its path in the manifest") from fault
    except (OSError, ValueError) as fault:
        raise UnreadableSeries(
            f"{path}: {getattr(fault, 'strerror', None) or fault}; correct its path"
        ) from fault
    for file, found in status:
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableSeries(f"{file}: is not a file; correct its path in the manifest")
    return tuple((real_path(file, found), found.st_size, found.st_mtime_ns) for file, found in status)


def _opened(path: Path, stamps: Stamps, channels: tuple[str, ...] | None, fps: float | None) -> Series:
    place = None if path.suffix in _ARRAYS else disk_cache.entry(stamps, (path.name, channels, fps))
    series = None if place is None else disk_cache.load(place)
    if series is None:
        series = _parsed(path, channels, fps)
        if place is not None:
            disk_cache.save(series, place)
    check_channels(series.channels)
    for note in series.notes:
        _say(note)
    return series


@cache  # once a process; the main one has read every file before its workers do
def _say(note: str) -> None:
    if multiprocessing.parent_process() is None:
        _log.warning("%s", note)


def _parsed(path: Path, channels: tuple[str, ...] | None, fps: float | None) -> Series:
    if not is_series(path):
        raise UnreadableSeries(
            f"{path}: a series ends in {', '.join((*_ARRAYS, *tables.SUFFIXES))}, not {path.suffix!r}"
        )
    try:
        if not path.stat().st_size:
            raise UnreadableSeries(f"{path}: the file is empty, 0 bytes; copy or extract it again")
        check_file(path)
        read = _from_array if path.suffix in _ARRAYS else _from_table
        series = read(path, channels, fps)
    except UnreadableSeries:
        raise
    except Exception as fault:  # whatever parsers make of foreign bytes: csv, zip, deflate, NumPy, Arrow
        raise UnreadableSeries(
            f"{path}: not a readable series ({type(fault).__name__}: {fault}); copy or extract it again, or "
            "remove its row from the manifest"
        ) from fault
    if not len(series.values):
        raise UnreadableSeries(_NO_ROW.format(path=path))
    if len(series.values) == 1:
        raise UnreadableSeries(
            f"{path}: the series has one row, a picture; remove the recording or extract it again"
        )
    return _complete(series, path)


def _from_array(path: Path, channels: tuple[str, ...] | None, fps: float | None) -> Series:
    series = _ARRAYS[path.suffix](path, fps)
    twice = [name for name, count in Counter(series.channels).items() if count > 1]
    if twice:
        raise UnreadableSeries(f"{path}: channel '{twice[0]}' appears twice; remove one of the two")
    if series.values.ndim != 2 or series.values.shape != (len(series.valid), len(series.channels)):
        raise UnreadableSeries(
            f"{path}: values {series.values.shape} do not match {len(series.valid)} rows of 'valid' "
            f"and {len(series.channels)} channels"
        )
    check_lost(series, path)
    series = _with_columns_read(series, path, fps, named=channels is not None)
    held = tuple(name for name in series.channels if not is_counter(name) and not is_mark(name))
    if channels is None:
        aside = [name for name in held if is_bookkeeping(name)]
        series = replace(series, notes=(*series.notes, *left_out(path.parent, aside)))
        channels, named = tuple(name for name in held if name not in aside), False
        check_alike(path, channels, CHANNELS)
    else:
        named = True
        check_marks(path, channels)
        _check_known(channels, held, path)
    read = _only(series, channels)
    rows = np.arange(len(read.values))
    counts = np.array([is_counting(column, read.valid, rows, read.fps) for column in read.values.T], bool)
    read = _without(read, counts, path, named=named)
    return check_plain(replace(read, values=read.values.astype(np.float32)), path)


def _with_columns_read(series: Series, path: Path, fps: float | None, *, named: bool) -> Series:
    """The series after its own columns of marks and times were looked at."""
    columns = {name: series.values[:, place] for place, name in enumerate(series.channels)}
    marks = {name: column for name, column in columns.items() if is_mark(name)}
    valid, notes = marked(path, marks, named=named)
    clocks = {name: column for name, column in columns.items() if is_clock(name) or is_rate(name)}
    notes += other_clocks(path, clocks, np.arange(len(series.values)), series.fps, fps)
    return replace(series, valid=series.valid & valid, notes=(*series.notes, *notes))


def _only(series: Series, channels: tuple[str, ...]) -> Series:
    """The series with these channels, in this order."""
    if channels == series.channels:
        return series
    columns = [series.channels.index(name) for name in channels]
    return replace(series, values=series.values[:, columns], channels=channels)


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
    known, named = recognise(path), channels is not None
    names = known.header(path)
    held = _held(known, path, names, named=named)
    notes: list[str] = []
    if channels is None:
        aside = [name for name, (own, _) in held.items() if own not in known.columns and is_bookkeeping(name)]
        channels = tuple(name for name in held if name not in aside)
        notes += left_out(path.parent, aside)
        check_alike(path, [held[name][0] for name in channels], {*known.columns, *CHANNELS})
    check_marks(path, channels)
    _check_known(channels, tuple(held), path)
    wanted = {held[name][0] for name in channels}
    marks, clocks = _facts(known, names)
    # Columns of time, quality and faces too; embeddings and text among the skipped ones stay unread.
    read = {*wanted, *marks, *clocks, *(name for name in names if name in known.skipped | TRACKING)}
    table = known.rows(known.load(path, read), path, notes)
    if not len(table):
        raise UnreadableSeries(_NO_ROW.format(path=path))
    line = known.timeline(table, path, fps)
    check_cells(path, rows=line.length, columns=len(channels))
    values = np.zeros((line.length, len(channels)), dtype=np.float32)
    valid = np.zeros(line.length, dtype=bool)
    found, told = marked(path, _numbers(table, marks, path, lenient=named), named=named)
    tracked = known.valid(table, path) & found
    valid[line.position] = tracked
    times = {name: seconds_of(table[name]) for name in clocks}
    times |= _numbers(table, clocks, path, lenient=True)
    notes += [*told, *other_clocks(path, times, line.position, line.fps, fps)]
    counts = np.zeros(len(channels), dtype=bool)
    for number, name in enumerate(channels):
        column, held_as = held[name]
        cells = measurements(table, column, path)
        counts[number] = is_counting(cells, tracked, line.position, line.fps)
        values[line.position, number] = cells * held_as.factor
    if not set(QUALITY) & set(names) and is_blank(values[line.position]):
        valid[:] = False
    if not known.strict:
        valid &= np.isfinite(values).all(axis=1)
        notes += check_bounds(values[valid], np.flatnonzero(valid), channels, path, own=False)
        check_means(values[valid], channels, path, known.name)
    series = Series(
        values=values,
        channels=channels,
        valid=valid,
        fps=line.fps,
        seconds=line.seconds,
        notes=(*notes, *line.notes),
    )
    series = _without(series, counts, path, named=named)
    return check_plain(series, path) if known.strict else series


def _facts(known: Format, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Columns that no format reads and that mark rows, and those that tell the time or its rate."""
    own = {*known.columns, *known.skipped, *TRACKING}
    marks = [name for name in names if is_mark(name) and name not in own]
    return marks, [name for name in names if is_clock(name) or is_rate(name)]


def _numbers(
    table: pd.DataFrame, names: Sequence[str], path: Path, *, lenient: bool
) -> dict[str, np.ndarray]:
    """Columns as numbers; those of text are left out if `lenient`."""
    found = {}
    for name in names:
        try:
            found[name] = numbers(table, name, path)
        except UnreadableSeries:
            if not lenient:
                raise
    return found


def _held(known: Format, path: Path, names: Sequence[str], *, named: bool) -> dict[str, tuple[str, Column]]:
    """Column of every channel that the file holds."""
    unasked = frozenset() if named else known.only_when_named(path)
    held: dict[str, tuple[str, Column]] = {}
    for name in names:
        column = known.channel(name)
        if column is None or name in unasked or (not named and is_mark(name)):
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
            f"{path}: no channel '{missing[0]}'{nearest(missing[0], found)} (found: {first_few(found)}); "
            f"give only files that hold the {len(channels)} channels asked for"
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
    return replace(series, values=values)


def _without(series: Series, counts: np.ndarray, path: Path, *, named: bool) -> Series:
    """Leave out the channels (F,) that only count, whatever they are called.

    Raises:
        UnreadableSeries: The channel was asked for by name.
    """
    if not counts.any():
        return series
    names = [name for name, is_count in zip(series.channels, counts, strict=True) if is_count]
    told = f"{path}: '{names[0]}' counts rows or time and measures nothing"
    if named:
        raise UnreadableSeries(f"{told}; leave it out of the channels")
    kept = tuple(name for name in series.channels if name not in names)
    note = f"{told}, so it is no channel" + (f" ({len(names)} such columns)" if len(names) > 1 else "")
    return replace(_only(series, kept), notes=(*series.notes, note))
