"""Reading of a manifest file as a table of text, with errors that name the line and the remedy."""

import codecs
import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from datamodules.manifests.columns import REQUIRED

# Our choices: far above any study, far below what fills a memory.
MOST_BYTES = 512 * 2**20
MOST_ROWS = 1_000_000
MOST_COLUMNS = 2_000

_SEPARATORS = ",;\t|"
_MARKS = (  # the longer first: UTF-32 begins like UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PACKED = ((b"PK\x03\x04", "an Excel workbook"), (b"PAR1", "a Parquet file"))  # whatever their suffix says
_SHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")
_TEXTS = (".csv", ".tsv")
_ONE_ROW = "keep one row a recording, and features in files of their own"
_UTF8 = "save it again as 'CSV UTF-8'"


class FileFault(ValueError):
    """A file that is no manifest; the message names place and remedy, the caller adds the path."""


def read_table(path: Path) -> pd.DataFrame:
    """All cells of a CSV file as text, or a Parquet file as it is.

    Text may be separated by commas, semicolons, tabs or bars; it is UTF-8, or UTF-16 or UTF-32 with their
    mark at the beginning. Lines without any content are left out.

    Raises:
        FileFault: The file is of another kind, too large, empty, damaged, or its rows are not equally long.
    """
    suffix = path.suffix.lower()
    if suffix in _SHEETS:
        raise FileFault(f"a manifest is no workbook ({suffix}); save its sheet as 'CSV UTF-8'")
    if suffix not in (*_TEXTS, ".parquet"):
        raise FileFault(f"a manifest ends in .csv or .parquet, not {path.suffix!r}; save it as 'CSV UTF-8'")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise FileFault(
            f"{size / 2**20:.0f} MB are too much for a manifest ({MOST_BYTES // 2**20} MB); {_ONE_ROW}"
        )
    return _parquet(path) if suffix == ".parquet" else parse_table(path.read_bytes())


def parse_table(content: bytes) -> pd.DataFrame:
    """The cells of a text file, as `read_table` has them.

    Raises:
        FileFault: As there.
    """
    text = _decoded(content)
    if not text.strip():
        raise FileFault("the file is empty; its first line must name the columns")
    if text[:6] == "%PDF-1" or text.startswith("<"):
        raise FileFault(f"begins with {text[:12]!r} and is no table; {_UTF8}")
    hint = re.match(r"sep=(.)\r?\n", text)  # a line that spreadsheets write for themselves
    text = text[hint.end() :] if hint else text
    separator = hint[1] if hint else _separator(text)
    (_, names), *rows = _rows(text, separator)
    _check_names(names)
    cells = []
    header = [name.strip().casefold() for name in names]
    for line, row in rows:
        if [cell.strip("\ufeff ").casefold() for cell in row] == header:
            raise FileFault(
                f"line {line} names the columns again: two tables in one file; remove that line, and "
                "rows that are there twice"
            )
        if len(row) != len(names):
            raise FileFault(
                f"line {line} has {len(row)} cells, the header has {len(names)}: "
                f"{_short(separator.join(row))}; complete the row, put text that holds a separator in "
                "quotes, close every quote"
            )
        cells.append(row)
    table = pd.DataFrame(cells, columns=names, dtype=object)
    nameless = [position for position, name in enumerate(names) if not name]
    for position in nameless:
        if any(cell.strip() for cell in table.iloc[:, position]):
            raise FileFault(f"column {position + 1} has cells but no name; name it in the first line")
    return table.iloc[:, [position for position in range(len(names)) if position not in nameless]]


def _decoded(content: bytes) -> str:
    for packed, kind in _PACKED:
        if content.startswith(packed):
            raise FileFault(f"is {kind} by its content and not by its ending; {_UTF8}, or rename it")
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as fault:
        line = content[: fault.start].count(b"\n") + 1
        around = content[max(0, fault.start - 10) : fault.start + 10]
        raise FileFault(
            f"line {line} is no text in {encoding.upper()} ({around!r}), perhaps of another encoding; {_UTF8}"
        ) from fault
    if "\0" in text:
        raise FileFault(
            f"holds zero bytes, the first in line {text[: text.index(chr(0))].count(chr(10)) + 1}: it "
            f"is UTF-16 without a mark, or was damaged on a full disk; {_UTF8} or copy it again"
        )
    return text


def _separator(text: str) -> str:
    """The one that finds most of the required columns, or most columns, in the first line."""
    first = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]

    def found(separator: str) -> tuple[int, int]:
        names = [cell.strip(' "') for cell in first.split(separator)]
        return len(set(names) & set(REQUIRED)), len(names)

    return max(_SEPARATORS, key=found)


def _rows(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Cells of every line that has any, with its number."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    found: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                found.append((line, row))
            if len(row) > MOST_COLUMNS or len(found) > MOST_ROWS + 1:
                raise FileFault(
                    f"more than {MOST_COLUMNS} columns or {MOST_ROWS} rows are no manifest; {_ONE_ROW}"
                )
            # csv reads on over a quote that nobody closed: whole rows would vanish in one cell
            if broken := next((cell for cell in row if "\n" in cell or "\r" in cell), None):
                raise FileFault(
                    f"a cell in line {line} goes on in the next line: {_short(broken)}; close the "
                    "quote, or write the cell on one line"
                )
            line = reader.line_num + 1
    except csv.Error as fault:
        raise FileFault(f"line {line}: {fault}; close every quote, and double those inside a cell") from fault
    return found


def _check_names(names: list[str]) -> None:
    bare = [name.strip() for name in names]
    twice = sorted({name for name in bare if name and bare.count(name) > 1})
    if twice:
        raise FileFault(f"column '{twice[0]}' appears twice; remove one of the two")
    if not any(bare):
        raise FileFault("the first line names no column; write the header")
    if len(names) == 1 and len(re.findall(r"\w+", names[0])) >= len(REQUIRED):
        raise FileFault(
            f"the first line is one column, {_short(names[0])}; separate columns by commas, semicolons or "
            "tabs, and put no quotes around a whole line"
        )


def _parquet(path: Path) -> pd.DataFrame:
    try:
        facts = pq.read_metadata(path)
        if facts.num_rows > MOST_ROWS or facts.num_columns > MOST_COLUMNS:
            raise FileFault(
                f"{facts.num_rows} rows and {facts.num_columns} columns are no manifest (at most "
                f"{MOST_ROWS} and {MOST_COLUMNS}); {_ONE_ROW}"
            )
        table = pd.read_parquet(path)
    except FileFault:
        raise
    except Exception as fault:  # of a damaged file the library raises whatever its parts raise
        raise FileFault(
            f"is no Parquet file that can be read ({_short(str(fault))}); write it again"
        ) from fault
    _check_names([str(name) for name in table.columns])
    for name in table.columns:
        for row, value in enumerate(table[name]):
            if isinstance(value, (bytes, list, dict, tuple, set, np.ndarray)):
                raise FileFault(
                    f"'{name}' holds {type(value).__name__} in row {row + 1}: {_short(repr(value))}; "
                    "a cell is text or a number"
                )
    return table


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
