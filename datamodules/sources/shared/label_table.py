"""Label tables of corpora: text or workbooks with a header, cells as numbers or as words of a code."""

import csv
import math
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import pandas as pd

from datamodules.sources.shared.draft import SourceError
from datamodules.wording import most_like, nearest

Code = TypeVar("Code")
_SEPARATORS = ",;\t"


def read_labels(
    path: Path,
    columns: Mapping[str, Iterable[str]],
    *,
    optional: Mapping[str, Iterable[str]] | None = None,
) -> pd.DataFrame:
    """A label table with a header, all cells as stripped text, blank lines left out.

    Args:
        path: Comma, semicolon or tab separated text, or the first sheet of an `.xlsx` workbook.
        columns: Our name -> spellings it may have in the file; compared without case and blanks. All of them
            must be there; other columns are kept under their own names.
        optional: As `columns`, but they may be absent.

    Raises:
        SourceError: No file, no header, another separator, a column that is missing, or a workbook that
            cannot be read.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such label file; unpack it there, or correct root")
    cells = _sheet_cells(path) if path.suffix == ".xlsx" else _text_cells(path)
    if not cells:
        raise SourceError(f"{path}: the label file is empty; download it again")
    header, body = cells[0], cells[1:]
    uneven = [number for number, row in enumerate(body, start=2) if len(row) != len(header)]
    if uneven:
        raise SourceError(
            f"{path}: line {uneven[0]} has {len(body[uneven[0] - 2])} cells, the header has {len(header)}"
        )
    table = pd.DataFrame(body, columns=header, dtype=str)
    plain = {name.lower(): name for name in header}
    renamed = {}
    for name, spellings in {**columns, **(optional or {})}.items():
        known = [plain[spelling.lower()] for spelling in spellings if spelling.lower() in plain]
        if known:
            renamed[known[0]] = name
        elif name in columns:
            wanted = next(iter(spellings), name)
            raise SourceError(
                f"{path}: no column '{wanted}'{nearest(wanted, header)}; found {most_like(wanted, header)}. "
                "A file without a header or with another separator looks like this"
            )
    return table.rename(columns=renamed)


def _text_cells(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        raise SourceError(f"{path}: not text in UTF-8 ({fault}); save it as UTF-8") from fault
    lines = [line for line in text.splitlines() if line.strip(f" {_SEPARATORS}")]
    separator = max(_SEPARATORS, key=lines[0].count) if lines else ","
    return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator)]


def _sheet_cells(path: Path) -> list[list[str]]:
    try:
        sheet = pd.read_excel(path, header=None, dtype=str, engine="openpyxl").fillna("")
    except ImportError as fault:
        raise SourceError(
            f"{path}: workbooks need openpyxl; pip install 'euthymia[corpora]', or save it as "
            f"{path.with_suffix('.csv').name} beside it"
        ) from fault
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as fault:
        raise SourceError(f"{path}: not a readable workbook ({fault}); download it again") from fault
    rows = [[str(cell).strip() for cell in row] for row in sheet.to_numpy().tolist()]
    return [row for row in rows if any(row)]


def numbers(table: pd.DataFrame, column: str, path: Path, *, empty: bool = False) -> list[float | None]:
    """A column as numbers; an empty cell is None where that is allowed.

    Raises:
        SourceError: A cell is no number; names file, line and value.
    """
    values: list[float | None] = []
    for line, cell in enumerate(table[column].tolist(), start=2):
        if cell == "" and empty:
            values.append(None)
            continue
        value = as_number(cell)
        if value is None:
            raise SourceError(
                f"{path}: '{column}' is {cell!r} in line {line}, which is no number; correct the cell"
            )
        values.append(value)
    return values


def as_number(text: str) -> float | None:
    """The finite number a text stands for, or None: `nan` is no label."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


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
