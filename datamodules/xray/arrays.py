"""Arrays as they lie in their files, however faulty: readers for training refuse what is looked for here.

Read are `.npy`, `.npz` and tables. What marks rows, tells times or counts is set aside, as in `read_series`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.probing import HEADERS
from datamodules.series.channel_schema import FACE_POINTS
from datamodules.series.checks.counter_columns import canonical, is_counter
from datamodules.series.checks.file_size import check_file
from datamodules.series.checks.row_marks import is_mark
from datamodules.series.formats.base import CONFIDENCE
from datamodules.series.formats.openface import ORDER
from datamodules.series.table import SUFFIXES

ARRAY_SUFFIXES = (".npy", ".npz", *SUFFIXES)
_VALUES = ("features", "values")  # of feature sets, and of our own series
_MARKS = ("valid_mask", "valid", "mask")
_TIMES = {"timestamps_ms": 1e3, "timestamp_ms": 1e3, "timestamps": 1.0, "timestamp": 1.0}  # per second
_OPENFACE = ORDER[5:]  # of the bare arrays of corpora


class NoArray(ValueError):
    """A file without an array of numbers; the message says why."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RawArray:
    """`values` (T, F) as stored, rows that were measured `valid` (T,), and what the file says of its time.

    `times` (T,) are in the unit that the file calls them by, of which a second has `per_second`. `frames`
    (T,) number pictures and `fps` is what the file states. All three are None where it says nothing.
    """

    values: NDArray[Any]
    channels: tuple[str, ...]
    valid: NDArray[np.bool_]
    times: NDArray[np.float64] | None = None
    per_second: float = 1.0
    frames: NDArray[np.float64] | None = None
    fps: float | None = None


def read_raw(path: Path) -> RawArray:
    """Read a file without judging its values.

    Raises:
        NoArray: Nothing in it can be read as numbers.
    """
    try:
        if not path.stat().st_size:
            raise NoArray("0 bytes")
        check_file(path)
        found = {".npy": _of_npy, ".npz": _of_npz}.get(path.suffix, _of_table)(path)
    except NoArray:
        raise
    except Exception as fault:  # whatever NumPy, zip, pandas and Arrow make of foreign bytes
        raise NoArray(f"{type(fault).__name__}: {' '.join(str(fault).split())[:200]}") from fault
    return _measured(found)


def _of_npy(path: Path) -> RawArray:
    with HEADERS:
        values = _rows(np.load(path, allow_pickle=False))
    width = values.shape[1]
    if width == 2 * FACE_POINTS and path.stem.endswith("_visual"):  # D-Vlog
        return _bare(values, [f"{axis}_{k}" for k in range(FACE_POINTS) for axis in "xy"])
    return _bare(values, _OPENFACE if width == len(_OPENFACE) else None)


def _bare(values: NDArray[Any], channels: Sequence[str] | None = None) -> RawArray:
    """An array without marks: rows of zeros show nothing, unless all are zero."""
    valid = np.asarray(values.any(axis=1), dtype=bool)
    if not valid.any():
        valid = np.ones(len(values), dtype=bool)
    names = tuple(map(str, range(values.shape[1]))) if channels is None else tuple(channels)
    return RawArray(values=values, channels=names, valid=valid)


def _of_npz(path: Path) -> RawArray:
    with HEADERS, np.load(path, allow_pickle=False) as archive:
        held = {name: archive[name] for name in archive.files}
    name = next((name for name in _VALUES if name in held), None)
    if name is None:
        numeric = [one for one in held if held[one].dtype.kind in "biuf" and held[one].ndim >= 2]
        if not numeric:
            raise NoArray(f"holds {', '.join(sorted(held)) or 'nothing'}, and no array of rows and columns")
        name = max(numeric, key=lambda one: held[one].size)
    values = _rows(held[name])
    channels = held.get("channels")
    if channels is not None and channels.shape == values.shape[1:]:
        own = tuple(one.decode() if isinstance(one, bytes) else str(one).strip() for one in channels.tolist())
    else:
        own = tuple(map(str, range(values.shape[1])))
    found = RawArray(values=values, channels=own, valid=_bare(values).valid)
    return _with_facts(found, held)


def _with_facts(found: RawArray, held: Mapping[str, NDArray[Any]]) -> RawArray:
    length = len(found.values)
    facts: dict[str, Any] = {"values": found.values, "channels": found.channels, "valid": found.valid}
    for name in _MARKS:
        if name in held and held[name].shape == (length,):
            facts["valid"] = np.nan_to_num(held[name].astype(np.float64)) == 1
            break
    for name, per_second in _TIMES.items():
        if name in held and held[name].shape == (length,) and held[name].dtype.kind in "iuf":
            facts |= {"times": held[name].astype(np.float64), "per_second": per_second}
            break
    if "fps" in held and held["fps"].size == 1 and held["fps"].dtype.kind in "iuf":
        facts["fps"] = float(held["fps"].item())
    return RawArray(**facts)


def _rows(values: Any) -> NDArray[Any]:
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf" or not values.ndim:
        raise NoArray(f"holds {getattr(values, 'dtype', type(values).__name__)}, and no numbers")
    if not values.size:
        raise NoArray(f"holds no value, {values.shape}")
    if values.dtype == np.float16 or values.dtype.kind == "b":
        values = values.astype(np.float32)
    return np.asarray(values[None] if values.ndim == 1 else values.reshape(len(values), -1))


def _of_table(path: Path) -> RawArray:
    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
    else:
        table = pd.read_csv(path, skipinitialspace=True, low_memory=False, encoding="utf-8-sig")
    table.columns = pd.Index([canonical(str(name)) for name in table.columns])
    if "face_id" in table and table["face_id"].nunique() > 1:
        table = table[table["face_id"] == table["face_id"].value_counts().index[0]]
    numbers = {name: _numbers(table[name]) for name in dict.fromkeys(table.columns)}
    channels = [
        name
        for name, values in numbers.items()
        if not is_counter(name) and not is_mark(name) and np.isfinite(values).any()
    ]
    if not channels:
        raise NoArray(f"no column holds numbers ({', '.join(map(str, table.columns[:6]))})")
    values = np.stack([numbers[name] for name in channels], axis=1)
    facts: dict[str, Any] = {"valid": _tracked(numbers, len(values))}
    if not {"success", "confidence", "valid"} & numbers.keys():
        facts["valid"] = _bare(np.nan_to_num(values)).valid
    for name, per_second in _TIMES.items():
        if name in numbers:
            facts |= {"times": numbers[name], "per_second": per_second}
            break
    if "frame" in numbers:
        facts["frames"] = numbers["frame"]
    return RawArray(values=values, channels=tuple(channels), **facts)


def _numbers(column: "pd.Series[Any] | pd.DataFrame") -> NDArray[np.float64]:
    if isinstance(column, pd.DataFrame):  # a name that comes twice
        column = column.iloc[:, 0]
    return np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)


def _tracked(numbers: Mapping[str, NDArray[np.float64]], length: int) -> NDArray[np.bool_]:
    valid = np.ones(length, dtype=bool)
    for name in ("success", "valid"):
        if name in numbers:
            valid &= numbers[name] == 1
    if "confidence" in numbers:
        valid &= numbers["confidence"] >= CONFIDENCE
    return valid


def _measured(found: RawArray) -> RawArray:
    """The array without columns that hold no number at all; rows that lack one are not valid."""
    finite = np.isfinite(found.values)
    if finite.all():
        return found
    held = finite.any(axis=0)
    if not held.any():
        raise NoArray("every value is NaN or infinite")
    kept = finite[:, held]
    facts = vars(found) | {
        "values": np.where(kept, found.values[:, held], 0),
        "channels": tuple(name for name, own in zip(found.channels, held, strict=True) if own),
        "valid": found.valid & kept.all(axis=1),
    }
    return RawArray(**facts)


def part_of(path: Path) -> str:
    """What a file of CLNF holds (`AUs`, `gaze`, `features`); nothing for other files.

    Examples:
        >>> part_of(Path("300_CLNF_gaze.txt"))
        'gaze'
    """
    match = re.search(r"_CLNF_(\w+)\.", path.name)
    return match[1] if match else ""
