"""A manifest's table as Arrow and back, without copying what is mapped."""

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

Column: TypeAlias = NDArray[Any] | Any
"""Numbers or truth values (N,), or text as a `pyarrow.Array` (N,), which has no types."""
_TEXT = pd.StringDtype(na_value=np.nan)


def columns_of(table: pd.DataFrame) -> dict[str, Column]:
    """Columns by name: numbers as float64 (N,), NaN where unknown; everything else as text (N,)."""
    return {str(name): _column(table[name]) for name in table.columns}


def to_arrow(table: pd.DataFrame) -> pa.Table:
    """The table as Arrow: float64 with NaN where unknown, and text."""
    return pa.table({name: pa.array(column) for name, column in columns_of(table).items()})


def from_arrow(stored: pa.Table) -> pd.DataFrame:
    """The table that `to_arrow` was given, on the memory of `stored`."""
    columns = {name: stored[name] for name in stored.column_names}
    found = {
        name: _TEXT.__from_arrow__(column)  # type: ignore[attr-defined]  # the stubs lack it
        if pa.types.is_large_string(column.type)
        else column.combine_chunks().to_numpy(zero_copy_only=True)
        for name, column in columns.items()
    }
    return pd.DataFrame(found, copy=False)


def _column(column: pd.Series) -> Column:
    if pd.api.types.is_numeric_dtype(column.dtype):
        numbers: NDArray[np.float64] = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers
    return text_of(column)


def text_of(column: pd.Series) -> pa.Array:
    """Text of a column (N,), on its memory where it is stored as Arrow does."""
    if isinstance(column.dtype, pd.StringDtype):
        found = pa.array(column.array)
        found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
        return found.cast(pa.large_string())
    return pa.array([str(value) for value in column.tolist()], pa.large_string())
