"""Parsing of text tables as extractors write them: blanks in the header, text in place of numbers."""

import csv
import gzip
import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from datamodules.series.checks.counter_columns import canonical
from datamodules.series.checks.file_size import LONGEST_LINE, MAX_COLUMNS, check_bytes, check_cells
from datamodules.series.series import UnreadableSeries

SUFFIXES = (".csv", ".csv.gz", ".txt", ".parquet")
_BLOCK = 2**20  # bytes read at once
_NUMERIC, _QUOTE = frozenset(b"%c" % sign for sign in b"0123456789-+."), '\ufeff "'
# How programs write that there is no number: C on Windows, R, Python, spreadsheets.
_NO_NUMBER = re.compile(r"[+-]?(nan(\(\w*\))?|\d\.#\w+|inf(inity)?)|n/?a|none|null|-|", re.IGNORECASE)


def header(path: Path) -> tuple[str, ...]:
    """Names of the columns, without the blanks around them; those of time and quality in small letters.

    Raises:
        UnreadableSeries: There is no header, a name appears twice, the text is not UTF-8, or it is too wide.
    """
    if path.suffix == ".parquet":
        found = [str(name) for name in pq.read_schema(path).names]
    else:
        found = _first_line(path)
    check_cells(path, rows=0, columns=len(found))
    names = tuple(canonical(name) for name in found)
    if not any(names):
        raise UnreadableSeries(f"{path}: there is no header; the first line must name the columns")
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    if twice:
        raise UnreadableSeries(f"{path}: column '{twice[0]}' appears twice; remove one of the two")
    return names


def _first_line(path: Path) -> list[str]:
    with _opened(path) as stream:
        line = stream.readline(LONGEST_LINE + 1)
    _check_line(path, line, "the header")
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        odd = f"byte 0x{line[fault.start]:02x} is not UTF-8"
        raise UnreadableSeries(f"{path}: {odd}; save it as UTF-8") from fault
    names = next(csv.reader([text]), [])
    if len(names) == 1 and any(sign in names[0] for sign in ";\t"):
        raise UnreadableSeries(f"{path}: the header is {names[0][:60]!r}; separate the columns by commas")
    return names


def load(path: Path, columns: Collection[str]) -> pd.DataFrame:
    """Read some columns, named without the blanks around them; the others are not parsed.

    Raises:
        UnreadableSeries: A row has more or fewer cells than the header, as with commas for decimal points, a
            quote is not closed, lines end as on old Macs, or the table is too large.
    """
    names = header(path)
    keep = [position for position, name in enumerate(names) if name in columns] or [0]  # rows must count
    if path.suffix == ".parquet":
        stored = pq.read_schema(path).names
        table: pd.DataFrame = pq.read_table(path, columns=[stored[position] for position in keep]).to_pandas()
        return table.reset_index(drop=True).set_axis([names[position] for position in keep], axis=1)
    check_cells(path, rows=_check_rows(path, names), columns=len(keep))
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


def _check_rows(path: Path, names: tuple[str, ...]) -> int:
    """Count the rows; stop at one whose cells are not those of the header.

    With chosen columns pandas would drop the last cells of a longer row, and fill a shorter one, silently.
    """
    size, row = 0, -1  # the header
    first = names[0].casefold()
    for lines in _blocks(path):
        size += sum(map(len, lines)) + len(lines)
        check_bytes(path, size)
        check_cells(path, rows=row + len(lines), columns=1)
        # Looking at every line costs more than parsing it, so a block without anything odd is counted only.
        if not _is_plain(lines, len(names) - 1):
            for number, line in enumerate(lines, start=row):
                _check_line(path, line, f"row {number}")
                _check_row(path, line, number, names)
        for number, line in enumerate(lines, start=row):
            if number >= 0 and _is_header(line, first, names):
                raise UnreadableSeries(
                    f"{path}: row {number} names the columns again: two tables in one file; give each "
                    "recording a file of its own, or remove the line if the rows go on"
                )
        row += len(lines)
    return row


def _is_header(line: bytes, first: str, names: tuple[str, ...]) -> bool:
    """Whether a line below the header is a header, too; numbers at its start, and another name, settle it."""
    if line[:1] in _NUMERIC or not line[:200].decode(errors="replace").lstrip(_QUOTE).casefold().startswith(
        first
    ):
        return False
    cells = next(csv.reader([line.decode(errors="replace").lstrip("\ufeff")]), [])
    return len(cells) > 1 and [canonical(cell).casefold() for cell in cells] == [n.casefold() for n in names]


def _blocks(path: Path) -> Iterator[list[bytes]]:
    """Lines without their ends, many at a time."""
    with _opened(path) as stream:
        rest = b""
        while block := stream.read(_BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            if len(rest) > LONGEST_LINE:
                _check_line(path, rest, "a row")
            yield lines
        if rest:
            yield [rest]


def _is_plain(lines: list[bytes], commas: int) -> bool:
    """Whether all lines have so many commas and nothing that must be looked at."""
    text = b"\n".join(lines)
    ends = text.count(b"\r\n") + text.endswith(b"\r")
    if b'"' in text or b"\0" in text or text.count(b"\r") != ends:
        return False
    return all(line.count(b",") == commas for line in lines)


def _check_row(path: Path, line: bytes, row: int, names: tuple[str, ...]) -> None:
    commas, width = line.count(b","), len(names)
    fewest = max(place for place, name in enumerate(names) if name)  # nameless ends may be missing
    if commas < fewest and line.strip():
        raise UnreadableSeries(
            f"{path}: row {row} has {commas + 1} cells and the header {width}; the file is cut there or the "
            "row is damaged: extract it again, or remove the row"
        )
    # A cell in quotes may hold commas: look closer, but only there.
    if commas >= width and any(cell.strip() for cell in next(csv.reader([line.decode()]))[width:]):
        raise UnreadableSeries(
            f"{path}: row {row} has more cells than the header; write numbers with decimal points"
        )


def _check_line(path: Path, line: bytes, where: str) -> None:
    if len(line) > LONGEST_LINE:
        raise UnreadableSeries(
            f"{path}: {where} is longer than {LONGEST_LINE / 2**20:.0f} MiB; a series may have "
            f"{MAX_COLUMNS:,} columns, and a line for every row"
        )
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableSeries(f"{path}: the text is UTF-16; save it as UTF-8")
    if b"\0" in line:
        raise UnreadableSeries(
            f"{path}: {where} holds zero bytes, as after a full disk; copy or extract the file again"
        )
    if b"\r" in line.rstrip(b"\r\n"):
        raise UnreadableSeries(
            f"{path}: {where} holds line ends of old Macs (CR alone); save it with LF or CR LF"
        )
    if line.count(b'"') % 2:
        raise UnreadableSeries(f"{path}: {where} has a quote that is not closed; remove it")


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def numbers(table: pd.DataFrame, name: str, path: Path) -> np.ndarray:
    """Column (n,) float64 of time or quality, NaN where a cell is empty or no number, as "no" in `success`.

    Raises:
        UnreadableSeries: It holds text and no number at all, or complex numbers.
    """
    values, text = _parsed(table, name, path)
    if len(text) and np.isnan(values).all():
        raise UnreadableSeries(f"{path}: column '{name}' holds no number (its first cell: {text[0][1]})")
    return values


def measurements(table: pd.DataFrame, name: str, path: Path) -> np.ndarray:
    """Column (n,) float64 of a channel, NaN where a cell is empty or says so, such as `-1.#IND`.

    Raises:
        UnreadableSeries: A cell holds something else, such as a word or digits of another script.
    """
    values, text = _parsed(table, name, path)
    if not len(text):
        return values
    row, cell = text[0]
    if np.isnan(values).all():
        raise UnreadableSeries(
            f"{path}: column '{name}' holds no number (its first cell: {cell}); name the channels to use, "
            "without it"
        )
    raise UnreadableSeries(
        f"{path}: column '{name}' holds {cell!r} in row {row} ({len(text)} such cells); write numbers in the "
        "digits 0 to 9 with a decimal point, and leave cells without a measurement empty"
    )


def _parsed(table: pd.DataFrame, name: str, path: Path) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """The numbers of a column, and its cells that are neither a number nor say that there is none."""
    column = table[name]
    if pd.api.types.is_complex_dtype(column):
        raise UnreadableSeries(f"{path}: column '{name}' holds complex numbers; store real ones")
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan), []
    cells = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    # pandas reads digits of other scripts as numbers, the exports of no extractor have any.
    plain = cells.where(cells.map(str.isascii), "other script")
    values = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64)
    odd = np.flatnonzero(np.isnan(values))
    text = [(int(row), cells.iloc[row]) for row in odd if not _NO_NUMBER.fullmatch(cells.iloc[row])]
    return values, text
