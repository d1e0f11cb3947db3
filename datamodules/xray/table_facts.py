"""Facts of the rows of a table that might tell the label, by kind: site, genre, trait, metadata, file name.

Which column is what follows from its name alone; answers and other labels are no shortcuts and are left out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.columns import NUMBERS, TEXT, file_columns
from datamodules.schema import UNKNOWN
from datamodules.shortcuts.metadata_facts import name_facts
from datamodules.xray.measured import Measured

_SITE = re.compile(
    r"(.*_)?(sites?|corpus|corpora|device|camera|microphone|phone|platform|school|class|classroom|cent(er|re)|clinic"
    r"|hospital|ward|lab|location|place|city|country|region|room|institution|source|dataset|recorder|sensor"
    r"|scanner|batch|interviewer|rater|experimenter|cohort|setup)(_?(id|name|code|type|model|no|nr))?",
    re.IGNORECASE,
)
_GENRE = re.compile(
    r"(.*_)?(genre|task|topic|theme|prompt|stimulus|scenario|activity|question|category|video_?type|content"
    r"|condition|emotion|mood|program(me)?|kind|type|style|format|language|title|channel|segment|memory)s?"
    r"(_?(id|name|code|type|no|nr))?",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"item_.*|(.*_)?(score|labels?\d*|total|severity|binary|band|target|depress\w*|diagnos\w*|mdd|class_?label|ternary|tri"
    r"|pen|bin|outcome|remission|respons\w*)(_.*)?|(bdi|phq|dass|hamd|hdrs|madrs|gad|ids|qids|ces_?d|sds|pcl).*|[dpq]\d\d?",
    re.IGNORECASE,
)
_TRAIT = "trait_"
_LEVELS = 20  # texts of more kinds are no categories; our choice
_PLAIN = ("sex", "age", "fps", "n_frames", "duration_s", "width", "height", "brightness", "border", "blur",
          "face_x", "face_y", "face_size", "yaw", "pitch", "roll", "usable", "visit_order")  # fmt: skip
_APART = {*TEXT, *NUMBERS} - {"task", "site", "corpus", "school", "class"}  # read for what they are
_IDS = {"recording_id": "recording id", "subject_id": "person id", "session_id": "visit id"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Fact:
    """One fact of every recording: `values` (N,) are numbers or, for categories, texts; `where` columns."""

    kind: str
    name: str
    where: tuple[str, ...]
    values: NDArray[Any]

    @property
    def is_number(self) -> bool:
        """Whether it has an order."""
        return self.values.dtype.kind == "f"


def is_label(name: str) -> bool:
    """Whether a column is named like a label, or like an answer to a questionnaire.

    Examples:
        >>> is_label("label3"), is_label("category_tri"), is_label("phq9_total"), is_label("task")
        (True, True, True, False)
    """
    return _LABEL.fullmatch(name) is not None


def category_facts(table: pd.DataFrame) -> list[Fact]:
    """Facts of site and genre, one a column."""
    found = []
    for name in map(str, table.columns):
        kind = _kind(name)
        if kind in ("site", "genre"):
            found.append(Fact(kind=kind, name=name, where=(name,), values=_texts(table[name])))
    return [one for one in found if len(set(one.values)) > 1]


def traits_of(table: pd.DataFrame) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Columns of traits that hold a number, and their values (N, K), NaN where one is not known."""
    names = [str(name) for name in table if str(name).startswith(_TRAIT)]
    values = [pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64) for name in names]
    kept = [place for place, own in enumerate(values) if np.isfinite(own).any() and np.nanstd(own) > 0]
    empty = np.zeros((len(table), 0))
    return tuple(names[place] for place in kept), np.stack([values[p] for p in kept], 1) if kept else empty


def _kind(name: str) -> str:
    """Which kind of fact a column holds; nothing for ids, files, labels, parts and traits."""
    if name in _PLAIN:
        return "metadata"
    if name in _APART or name.startswith((_TRAIT, "features_")) or is_label(name):
        return ""
    if _SITE.fullmatch(name):
        return "site"
    return "genre" if _GENRE.fullmatch(name) else "metadata"


def metadata(table: pd.DataFrame, root: Path, measured: Sequence[Measured]) -> list[Fact]:
    """Age, sex, length, rates and other columns; sizes and dates of files; lengths and gaps of arrays."""
    found = list(_plain(table))
    for column in file_columns(table):
        states = [_state(root / cell) if isinstance(cell, str) and cell else None for cell in table[column]]
        for at, what in enumerate(("size in bytes", "date of the file")):
            values = np.array([np.nan if state is None else state[at] for state in states])
            found.append(Fact(kind="metadata", name=f"{what} ({column})", where=(column,), values=values))
        there = np.array([float(state is not None) for state in states])
        found.append(Fact(kind="metadata", name=f"there is a file ({column})", where=(column,), values=there))
    found += _of_arrays(table, measured)
    return [one for one in found if _varies(one.values)]


def _plain(table: pd.DataFrame) -> Iterator[Fact]:
    for name in map(str, table.columns):
        if _kind(name) != "metadata":
            continue
        numbers = pd.to_numeric(table[name].replace("", np.nan), errors="coerce")
        text = table[name].notna() & (table[name].astype(str).str.strip() != "")
        values = numbers.to_numpy(dtype=np.float64)
        if numbers.notna().sum() < text.sum():  # not all of them are numbers
            values = _texts(table[name])
            if len(set(values)) > _LEVELS:
                continue
        yield Fact(kind="metadata", name=name, where=(name,), values=values)


def _of_arrays(table: pd.DataFrame, measured: Sequence[Measured]) -> Iterator[Fact]:
    place = {name: row for row, name in enumerate(table["recording_id"].astype(str))}
    facts: dict[tuple[str, str], NDArray[np.float64]] = {}
    for one in measured:
        own: Mapping[str, float | None] = {
            "length in rows": one.rows,
            "share of valid rows": one.valid / max(one.rows, 1),
            "longest gap": one.gap,
            "rate of the times": None if one.clock is None else one.clock.rate,
            "span of the times": None if one.clock is None else one.clock.span,
        }
        for name, value in own.items():
            for owner in one.owners:
                if value is not None and owner in place:
                    facts.setdefault((one.column, name), np.full(len(table), np.nan))[place[owner]] = value
    for (column, name), values in facts.items():
        where = column.partition(":")[0]
        yield Fact(kind="metadata", name=f"{name} ({column})", where=(where,), values=np.round(values, 6))


def name_facts_of(table: pd.DataFrame) -> list[Fact]:
    """Words, numbers and order of file names, folders and ids, and the order of the rows."""
    found = [
        Fact(kind="file_name", name="row of the table", where=("recording_id",),
             values=np.arange(len(table), dtype=np.float64))
    ]  # fmt: skip
    for where, what, names in names_of(table):
        for name, values in name_facts(what, names).items():
            array = np.asarray(values)
            array = array.astype(object) if array.dtype.kind in "UO" else array.astype(np.float64)
            found.append(Fact(kind="file_name", name=name, where=(where,), values=array))
    return [one for one in found if _varies(one.values)]


def names_of(table: pd.DataFrame) -> Iterator[tuple[str, str, list[str]]]:
    """The column, what it is called, and the names (N,) of every kind of name."""
    for column in file_columns(table):
        paths = [Path(cell) if isinstance(cell, str) else Path() for cell in table[column]]
        yield column, f"file name ({column})", [path.name for path in paths]
        yield column, f"folder ({column})", [path.parent.as_posix() for path in paths]
    for column, what in _IDS.items():
        if column in table:
            yield column, what, table[column].astype(str).replace(UNKNOWN, "").tolist()


def _texts(column: "pd.Series[Any]") -> NDArray[Any]:
    return column.astype(object).where(column.notna(), "").astype(str).to_numpy(dtype=object)


def _varies(values: NDArray[Any]) -> bool:
    return pd.Series(values).nunique(dropna=False) > 1


def _state(file: Path) -> tuple[float, float] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return float(status.st_size), status.st_mtime
