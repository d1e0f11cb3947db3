"""Columns that processes share: forked ones the memory, others a mapped file that the first one writes."""

import os
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from datamodules.manifests.index.arrow_table import Column

_INLINE = 2**14  # bytes, our choice: what is smaller is copied to every process


class SharedColumns(Mapping[str, Column]):
    """Columns of one length by name, as arrays and not as objects.

    No process touches what it reads of them, as it would the counters of a list of records, so that forked
    workers share all of it. Where they are sent to another process, as to a worker that is not forked, large
    ones go as the name of a file that lives as long as these columns do.

    Args:
        columns: Text, numbers or truth values (N,).

    Examples:
        >>> import pickle
        >>> import numpy as np
        >>> pickle.loads(pickle.dumps(SharedColumns({"row": np.arange(3)})))["row"].tolist()
        [0, 1, 2]
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = dict(columns)
        self._file: Path | None = None

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __reduce__(self) -> tuple[Any, ...]:
        if sum(column.nbytes for column in self._columns.values()) <= _INLINE:
            return SharedColumns, (self._columns,)
        if self._file is None:
            self._file = self._written()
            weakref.finalize(self, _remove, self._file, os.getpid())
        return mapped, (str(self._file),)

    def _written(self) -> Path:
        table = pa.table({name: pa.array(column) for name, column in self._columns.items()})
        number, name = tempfile.mkstemp(prefix="euthymia-columns-", suffix=".arrow")
        with os.fdopen(number, "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
        return Path(name)


def mapped(file: str) -> SharedColumns:
    """Columns that another process wrote, on the memory of their file.

    Raises:
        FileNotFoundError: The process that wrote them has ended, or no longer holds them.
    """
    with pa.memory_map(file) as source, pa.ipc.open_stream(source) as reader:
        table = reader.read_all()
    found = {name: table[name].combine_chunks() for name in table.column_names}
    return SharedColumns(
        {
            name: column
            if pa.types.is_large_string(column.type)
            else column.to_numpy(zero_copy_only=not pa.types.is_boolean(column.type))
            for name, column in found.items()
        }
    )


def _remove(file: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked process ends before the one that others still read from
        file.unlink(missing_ok=True)
