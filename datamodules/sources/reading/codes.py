"""Columns of words in a label table, as what they mean."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import pandas as pd

from datamodules.sources.reading.builder import SourceError

Code = TypeVar("Code")


def coded(table: pd.DataFrame, column: str, codes: Mapping[str, Code], path: Path) -> list[Code]:
    """A column of words as what they mean; compared without case.

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
