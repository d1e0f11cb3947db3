"""Validation of a manifest table: finds every fault in one pass, so that a table is repaired once."""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pandas as pd

from datamodules.manifests.columns import describe_rows, feature_columns, file_columns
from datamodules.manifests.index.file_presence import absent
from datamodules.manifests.validation.ids import check_ids
from datamodules.manifests.validation.labels import check_labels, check_sessions, check_sums
from datamodules.manifests.validation.numbers import check_numbers
from datamodules.manifests.validation.subjects import check_persons

_LONGEST = 200  # characters of a path in a message


def check_table(table: pd.DataFrame, root: Path, *, sums: bool, files: bool = True) -> list[str]:
    """Report every fault of a parsed table: text columns are strings, numbers are floats.

    Args:
        table: With all required columns.
        root: Folder the paths start at.
        sums: Whether the items of a questionnaire must add up to its total.
        files: Whether the files that it names must be there.
    """
    return [
        *check_ids(table),
        *check_labels(table),
        *(check_files(table, root) if files else ()),
        *check_numbers(table),
        *check_sessions(table),
        *check_persons(table),
        *(check_sums(table) if sums else ()),
    ]


def check_files(table: pd.DataFrame, root: Path, *, among: Collection[str] | None = None) -> Iterator[str]:
    """Report rows that name no file, or one that is not there.

    Args:
        table: With all required columns.
        root: Folder the paths start at.
        among: Folders to look into; all by default.
    """
    one_of = ["path", *(name for name in ("series_path", "tokens_path") if name in table)]
    if where := describe_rows(table, (table[[*one_of, *feature_columns(table)]] == "").all(axis=1)):
        yield f"neither 'path' nor 'series_path' nor a features_ column names a file in {where}"
    for name in file_columns(table):
        cells = table[name].tolist()
        if missing := absent(cells, root, among):
            texts = [value if len(value) <= _LONGEST else value[:_LONGEST] + "..." for value in cells]
            where = describe_rows(table, missing, texts)
            yield f"'{name}' names no file in {where}; {_path_remedy(texts[missing[0]], root)}"


def _path_remedy(value: str, root: Path) -> str:
    """What to do about a path that leads nowhere here, by what it looks like."""
    if re.match(r"[A-Za-z]:[\\/]", value) and os.name != "nt":
        return f"it is a path of Windows: write it as it is on this machine, or from {root} on"
    if "\\" in value and os.name != "nt":
        return f"write / instead of \\; relative paths start at {root}"
    if value.startswith("~"):
        return "write the home folder out, as ~ is not read"
    return f"relative paths start at {root}"
