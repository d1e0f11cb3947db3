"""Builder of manifests from label files and folders: the draft that every source fills."""

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.manifests.errata import Erratum
from datamodules.manifests.manifest import Manifest, manifest_from_table
from datamodules.sources.reading.workbook import UnreadableWorkbook, first_sheet
from datamodules.wording import nearest

_SEPARATORS = ",;\t"
_ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar")


class SourceError(ValueError):
    """A download that is not the corpus it should be; the message names file, fault and remedy."""


@dataclass(kw_only=True)
class Draft:
    """A manifest in the making: rows as dicts, corrections that were made, remarks for the report.

    Args:
        name: Name of the manifest, e.g. `daic_woz`.
        root: Folder the paths in the rows start at.
    """

    name: str
    root: Path
    rows: list[dict[str, Any]] = field(default_factory=list)
    errata: list[Erratum] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def correct(self, rule: str, where: str, change: str) -> None:
        """Note a correction."""
        self.errata.append(Erratum(rule=rule, where=where, change=change))

    def manifest(self, *, probe: bool) -> Manifest:
        """Validate the rows; what is wrong in them is raised as `ManifestError`.

        Raises:
            SourceError: There is no row.
        """
        if not self.rows:
            packed = sorted(
                path.name for path in self.root.glob("*") if path.suffix in _ARCHIVES and path.name[0] != "."
            )
            remedy = f"unpack the archives first ({', '.join(packed[:3])})" if packed else "correct root"
            raise SourceError(
                f"{self.root}: no recording of {self.name} found; is this the folder it was unpacked to? "
                f"If so, {remedy}"
            )
        table = pd.DataFrame(self.rows, dtype=object).assign(corpus=self.name)
        found = manifest_from_table(table, root=self.root, name=self.name, probe=probe)
        return replace(found, errata=tuple(self.errata), notes=tuple(self.notes))


def existing_folder(root: str | Path) -> Path:
    """The folder, absolute.

    Raises:
        SourceError: It is not there.
    """
    folder = Path(root).resolve()
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder; give the folder the corpus was unpacked to")
    return folder


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
        if not known and name not in columns:
            continue
        if not known:
            wanted = next(iter(spellings), name)
            raise SourceError(
                f"{path}: no column '{wanted}'{nearest(wanted, header)}; found {', '.join(header)}. "
                "A file without a header or with another separator looks like this"
            )
        renamed[known[0]] = name
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
        return first_sheet(path)
    except UnreadableWorkbook as fault:
        raise SourceError(str(fault)) from fault


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
