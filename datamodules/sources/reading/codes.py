"""Decoding of code words in a column of a label table."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import pandas as pd

from datamodules.sources.reading.builder import SourceError

Code = TypeVar("Code")


def coded(table: pd.DataFrame, column: str, codes: Mapping[str, Code], path: Path) -> list[Code]:
    """Decode a column of words by `codes`, ignoring case.

    Raises:
        SourceError: A word that is not in `codes`; names file, line, value and the known words.
    """
    values = []
    for line, cell in enumerate(table[column].tolist(), start=2):
        if cell.lower() not in codes:
            raise SourceError(
                f"{path}: '{column}' is {cell!r} in line {line}; known are {', '.join(codes)}; "
                "correct the cell"
            )
        values.append(codes[cell.lower()])
    return values
