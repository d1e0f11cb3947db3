"""Text tables as extractors write them: blanks in the header, text where a number should be."""

import csv
import gzip
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from datamodules.series.series import UnreadableSeries

SUFFIXES = (".csv", ".csv.gz", ".txt", ".parquet")


def header(path: Path) -> tuple[str, ...]:
    """Names of the columns, without the blanks around them.

    Raises:
        UnreadableSeries: There is no header, or a name appears twice.
    """
    if path.suffix == ".parquet":
        names = tuple(str(name).strip() for name in pq.read_schema(path).names)
    else:
        with _opened(path) as stream:
            names = tuple(
                name.strip() for name in next(csv.reader([stream.readline().decode("utf-8-sig")]), [])
            )
    if not any(names):
        raise UnreadableSeries(f"{path}: there is no header; the first line must name the columns")
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    if twice:
        raise UnreadableSeries(f"{path}: column '{twice[0]}' appears twice; remove one of the two")
    return names


def load(path: Path, columns: Collection[str]) -> pd.DataFrame:
    """Read some columns, named without the blanks around them; the others are not parsed.

    Raises:
        UnreadableSeries: A row has more cells than the header, as with commas for decimal points.
    """
    names = header(path)
    keep = [position for position, name in enumerate(names) if name in columns] or [0]  # rows must count
    if path.suffix == ".parquet":
        stored = pq.read_schema(path).names
        table: pd.DataFrame = pq.read_table(path, columns=[stored[position] for position in keep]).to_pandas()
        return table.set_axis([names[position] for position in keep], axis=1)
    _check_cells(path, len(names))
    return pd.read_csv(
        path,
        header=None,
        skiprows=1,
        names=[name or f"column {position}" for position, name in enumerate(names)],
        usecols=keep,
        index_col=False,
        skipinitialspace=True,
        low_memory=False,
        encoding="utf-8-sig",
    )


def _check_cells(path: Path, width: int) -> None:
    """Stop at a row longer than the header; with chosen columns pandas would drop its last cells silently."""
    with _opened(path) as stream:
        for row, line in enumerate(stream, start=-1):
            # A cell in quotes may hold commas: look closer, but only there.
            if line.count(b",") < width:
                continue
            if any(cell.strip() for cell in next(csv.reader([line.decode()]))[width:]):
                raise UnreadableSeries(
                    f"{path}: row {row} has more cells than the header; write numbers with decimal points"
                )


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def numbers(table: pd.DataFrame, name: str, path: Path) -> np.ndarray:
    """Column (n,) float64, NaN where the file has text such as `-1.#IND` or nothing.

    Raises:
        UnreadableSeries: There is no number at all.
    """
    column = table[name]
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.to_numeric(column.astype(str).str.strip(), errors="coerce")
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if len(values) and np.isnan(values).all():
        raise UnreadableSeries(
            f"{path}: column '{name}' holds no number (its first cell: {table[name].iloc[0]}); name the "
            "channels to use, without it"
        )
    return values
