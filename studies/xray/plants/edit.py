"""Changes of one file of a series, whatever its format: the other bytes stay as they were."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

STATED = ("frame", "timestamp", "timestamp_ms", "confidence", "success", "valid")
_MARKS = ("success", "valid", "valid_mask")
_MATRICES = ("values", "features")

Change = Callable[[np.ndarray], np.ndarray]


def edit_rows(path: Path, change: Change) -> None:
    """Replace the measurements `(T, C)` of a file; rows that are added or dropped get or lose their marks.

    Args:
        path: A table, an archive or an array.
        change: Gets the measurements and returns the new ones.
    """
    if path.suffix == ".npy":
        old = np.load(path)
        np.save(path, change(old).astype(old.dtype))
    elif path.suffix == ".npz":
        _edit_archive(path, change)
    else:
        edit_table(path, lambda table: _with_measurements(table, change))


def edit_table(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Replace the cells of a text table, all of them text; separators stay."""
    text = path.read_text(encoding="utf-8")
    between = ", " if ", " in text.partition("\n")[0] else ","
    table = pd.read_csv(StringIO(text), dtype=str, skipinitialspace=True, keep_default_na=False)
    new = change(table)
    lines = [between.join(row) for row in (list(new.columns), *new.to_numpy().tolist())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def edit_arrays(path: Path, change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> None:
    """Replace the arrays of an archive."""
    with np.load(path) as archive:
        arrays = dict(archive)
    np.savez(path, allow_pickle=False, **change(arrays))


def with_digits(column: pd.Series, values: np.ndarray, fewer: int = 0) -> list[str]:
    """Numbers as text with as many decimals as the column has in its first row, or fewer."""
    decimals = max(len(str(column.iloc[0]).partition(".")[2]) - fewer, 0)
    return [f"{value:.{decimals}f}" for value in values.tolist()]


def measured_columns(table: pd.DataFrame) -> list[str]:
    """Names of the columns that hold measurements."""
    return [name for name in map(str, table) if name not in STATED]


def _edit_archive(path: Path, change: Change) -> None:
    def changed(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        name = next(name for name in _MATRICES if name in arrays)
        new = change(arrays[name]).astype(arrays[name].dtype)
        rows = len(new)
        out = arrays | {name: new}
        for mark in [mark for mark in _MARKS if mark in arrays]:
            out[mark] = np.resize(arrays[mark], rows)
        if "timestamps_ms" in arrays and rows != len(arrays[name]):
            step = np.median(np.diff(arrays["timestamps_ms"]))
            out["timestamps_ms"] = np.round(np.arange(rows) * step).astype(np.int64)
        return out

    edit_arrays(path, changed)


def _with_measurements(table: pd.DataFrame, change: Change) -> pd.DataFrame:
    names = measured_columns(table)
    new = change(table[names].to_numpy(dtype=np.float64))
    out = table.iloc[np.arange(len(new)) % len(table)].reset_index(drop=True)
    if len(new) != len(table):
        for name in [name for name in ("frame", "timestamp", "timestamp_ms") if name in table]:
            own = table[name].to_numpy(dtype=np.float64)
            step = (own[-1] - own[0]) / (len(own) - 1)
            out[name] = with_digits(table[name], own[0] + step * np.arange(len(new)))
    for place, name in enumerate(names):
        out[name] = with_digits(table[name], new[:, place])
    return out
