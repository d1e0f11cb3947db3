"""Files of feature sets: what an extractor made of a recording, one row a moment or one row for all of it.

`.npz` with exactly the arrays `features` (T, F), `timestamps_ms` (T,) and `valid_mask` (T,), or `.npy` (T, F)
with the rate of the recording. One row is a pooled vector. Columns have numbers and no names.
"""

import zipfile
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from datamodules.series.checks.file_size import check_cells, check_file
from datamodules.series.checks.set_clock import check_set_rate
from datamodules.series.memory_cache import KEPT
from datamodules.series.series import Series, UnreadableSeries
from datamodules.series.timebase import rate
from datamodules.wording import first_few

ARRAYS = ("features", "timestamps_ms", "valid_mask")
SUFFIXES = (".npz", ".npy")
_AGAIN = "copy or extract it again"


def read_feature_set(path: Path, *, fps: float | None = None) -> Series:
    """Read and check the file of a set; channels are called "0", "1", ..., in the order of its columns.

    In a `.npy`, which has no mask, rows of zeros or of NaN alone are not valid, as in the bare arrays of
    other corpora. What can be mapped is mapped: a float32 `.npy` whose rows are all valid. Else the array is
    kept in memory as long as others leave room.

    Args:
        path: The file.
        fps: Rows per second of a `.npy`; of one row none is needed. An `.npz` tells its times.

    Returns:
        `seconds` and `fps` as the time stamps have them; None where there is one row, or no rate of a `.npy`.

    Raises:
        UnreadableSeries: Names the file, what is wrong with it, and what to do.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as fault:
        why = getattr(fault, "strerror", None) or fault
        raise UnreadableSeries(
            f"{path}: no feature set ({why}); correct its path in the manifest, or empty the cell"
        ) from fault
    # nobody else has keys that begin so
    key = ("feature set", path, status.st_size, status.st_mtime_ns, fps)
    return KEPT.get(key, lambda: _read(path, status.st_size, fps))


def _read(path: Path, size: int, fps: float | None) -> Series:
    if path.suffix not in SUFFIXES:
        raise UnreadableSeries(f"{path}: a feature set ends in {' or '.join(SUFFIXES)}, not {path.suffix!r}")
    if not path.is_file():
        raise UnreadableSeries(f"{path}: is no file; correct its path in the manifest")
    if not size:
        raise UnreadableSeries(f"{path}: the file is empty, 0 bytes; {_AGAIN}, or empty its manifest cell")
    try:
        check_file(path)
        values, seconds, valid = _of_archive(path) if path.suffix == ".npz" else _of_array(path, fps)
    except UnreadableSeries:
        raise
    except Exception as fault:  # whatever NumPy and zip make of foreign bytes
        raise UnreadableSeries(
            f"{path}: is no readable {path.suffix} of NumPy ({type(fault).__name__}: {fault}); {_AGAIN}. "
            "Arrays of objects are not read"
        ) from fault
    values = _checked(values, valid, path)
    own = None if seconds is None or len(seconds) < 2 else rate(seconds)
    return Series(values=values, channels=numbered(values.shape[1]), valid=valid, fps=own, seconds=seconds)


@lru_cache(maxsize=256)
def numbered(width: int) -> tuple[str, ...]:
    """Names of the channels of a set of this width, the same object for all of its files.

    Examples:
        >>> numbered(3)
        ('0', '1', '2')
    """
    return tuple(map(str, range(width)))


def is_feature_set(path: Path) -> bool:
    """Whether an archive holds features as a set does, whatever else it holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            return f"{ARRAYS[0]}.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def width_of(path: Path) -> int | None:
    """Columns that the head of a file states; None for none or 0, which reading it then explains."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return _stated_width(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=131_072)  # our choice: a run asks thrice for thousands of recordings with several sets
def _stated_width(path: Path, size: int, mtime_ns: int) -> int | None:
    """The width of a file of this size and time."""
    del size, mtime_ns
    try:
        if path.suffix == ".npy":
            with path.open("rb") as stream:
                return _width(stream)
        with zipfile.ZipFile(path) as archive, archive.open(f"{ARRAYS[0]}.npy") as member:
            return _width(member)
    except Exception:  # whatever NumPy and zip make of foreign bytes
        return None


def _width(stream: IO[bytes]) -> int | None:
    numpy: Any = np.lib.format  # untyped in part
    version = numpy.read_magic(stream)
    read = numpy.read_array_header_1_0 if version == (1, 0) else numpy.read_array_header_2_0
    shape: tuple[int, ...] = read(stream)[0]
    return shape[1] or None if len(shape) == 2 else None


def _of_archive(path: Path) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.bool_]]:
    if not zipfile.is_zipfile(path):
        raise UnreadableSeries(f"{path}: is no .npz archive; {_AGAIN}, or name an array .npy")
    with np.load(path, allow_pickle=False) as archive:
        _check_names(archive.files, path)
        features, stamps, marks = (archive[name] for name in ARRAYS)
    _check_numbers(features, path)
    if stamps.ndim != 1 or stamps.dtype.kind not in "iuf":
        raise UnreadableSeries(
            f"{path}: 'timestamps_ms' is {stamps.dtype} {stamps.shape}; store milliseconds, one number a row"
        )
    if marks.ndim != 1 or marks.dtype.kind not in "biuf" or not np.isin(marks, (0, 1)).all():
        raise UnreadableSeries(
            f"{path}: 'valid_mask' is {marks.dtype} {marks.shape}; store true or false, one a row"
        )
    lengths = {name: len(array) for name, array in zip(ARRAYS, (features, stamps, marks), strict=True)}
    if len({*lengths.values()}) > 1:
        listed = ", ".join(f"'{name}' {length}" for name, length in lengths.items())
        raise UnreadableSeries(f"{path}: its arrays are of different lengths ({listed}); {_AGAIN}")
    return features, _seconds(stamps.astype(np.float64), path), marks.astype(bool)


def _check_names(names: list[str], path: Path) -> None:
    known = ", ".join(map(repr, ARRAYS))
    if missing := [name for name in ARRAYS if name not in names]:
        raise UnreadableSeries(
            f"{path}: has no array {first_few([repr(name) for name in missing])} (found: "
            f"{first_few(sorted(names)) or 'none'}); a feature set has {known}"
        )
    if unknown := sorted(set(names) - {*ARRAYS}):
        raise UnreadableSeries(
            f"{path}: nothing reads {first_few([repr(name) for name in unknown])}; to use it, save it as "
            "'features' of a set of its own (another file, another column features_<set>); to drop it, save "
            f"the archive again with {known} alone"
        )


def _seconds(stamps: NDArray[np.float64], path: Path) -> NDArray[np.float64]:
    wrong = np.flatnonzero(~np.isfinite(stamps))
    if wrong.size:
        raise UnreadableSeries(f"{path}: 'timestamps_ms' is {stamps[wrong[0]]} in row {wrong[0]}; {_AGAIN}")
    back = np.flatnonzero(np.diff(stamps) <= 0)
    if back.size:
        row = int(back[0]) + 1
        raise UnreadableSeries(
            f"{path}: 'timestamps_ms' is {stamps[row]:.10g} in row {row} after {stamps[row - 1]:.10g} "
            f"({back.size} such rows); times must rise from row to row: sort the rows, or {_AGAIN}"
        )
    seconds = stamps / 1000
    check_set_rate(path, seconds)
    return seconds


def _of_array(
    path: Path, fps: float | None
) -> tuple[NDArray[Any], NDArray[np.float64] | None, NDArray[np.bool_]]:
    values: Any = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(values, np.ndarray):
        raise UnreadableSeries(f"{path}: is an archive under the name of an array; rename it to .npz")
    _check_numbers(values, path)
    if fps is not None and not (np.isfinite(fps) and fps > 0):
        raise UnreadableSeries(f"{path}: the manifest's 'fps' is {fps}; write rows per second above 0")
    seconds = None if fps is None or len(values) < 2 else np.arange(len(values)) / fps
    lacks = np.isnan(values).all(axis=1) | ~np.any(values, axis=1)
    return values, seconds, np.asarray(~lacks)


def _check_numbers(features: NDArray[Any], path: Path) -> None:
    if features.dtype.kind not in "biuf":
        raise UnreadableSeries(f"{path}: the features are {features.dtype}; store numbers, such as float32")
    if features.ndim != 2:
        raise UnreadableSeries(
            f"{path}: the features have {features.ndim} dimension(s), {features.shape}; store rows by "
            "columns (T, F), a pooled vector as one row (1, F)"
        )
    if not features.size:
        raise UnreadableSeries(f"{path}: holds no value, its features are {features.shape}; {_AGAIN}")
    check_cells(path, rows=features.shape[0], columns=features.shape[1])


def _checked(values: NDArray[Any], valid: NDArray[np.bool_], path: Path) -> NDArray[np.float32]:
    """The values as float32, 0 in rows that are not valid."""
    if not valid.any():
        raise UnreadableSeries(
            f"{path}: none of its {len(valid)} rows is valid; {_AGAIN}, or empty its manifest cell and take "
            "the recording without this set (missing=mask)"
        )
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, and is told below
        found = values.astype(np.float32, copy=False)
    bad = ~np.isfinite(found) & valid[:, None]
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise UnreadableSeries(
            f"{path}: column {column} is {values[row, column]} in row {row}, which is valid "
            f"({int(bad.sum())} such values); mark rows without a measurement as not valid, or {_AGAIN}"
        )
    if not valid.all():
        found = np.where(valid[:, None], found, np.float32(0))
    _check_alive(found, valid, path)
    return found


def _check_alive(values: NDArray[np.float32], valid: NDArray[np.bool_], path: Path) -> None:
    """Refuse what an extractor that did not run leaves: rows that are all alike, or one number throughout."""
    rows = int(valid.sum())
    first = values[int(np.argmax(valid))]
    if not (values[valid] == first).all() or (rows == 1 and (values.shape[1] == 1 or np.ptp(first) > 0)):
        return
    what = "all of its values are alike" if rows == 1 else f"its {rows} valid rows are all alike"
    raise UnreadableSeries(
        f"{path}: {what} (column 0 is {first[0]:g}), as where an extractor did not run; {_AGAIN}, or empty "
        "its manifest cell and take the recording without this set (missing=mask)"
    )
