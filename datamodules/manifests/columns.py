"""Columns of a manifest: which are required, text or numbers; and how messages name its rows."""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from datamodules.schema import IDS
from datamodules.wording import first_few, most_like, nearest

REQUIRED = (*IDS, "path")
_HOLDS = {  # of the required columns, for who lacks one
    "recording_id": "a name of its own for each row",
    "subject_id": "who is seen, or 'unknown'",
    "session_id": "which visit of the person, e.g. 1 everywhere if each came once",
    "path": "the video, empty where 'series_path' or a features_ column names a file",
}
FILES = ("path", "series_path", "landmark_path", "tokens_path")
FEATURES = "features_"
"""Prefix of columns of files: `features_<set>` names the feature set of that name, see `read_feature_set`."""
NUMBERS = (
    "fps", "n_frames", "duration_s", "width", "height", "score", "binary", "age",
    "brightness", "border", "blur", "face_x", "face_y", "face_size", "yaw", "pitch", "roll", "usable",
    "visit_order",
)  # fmt: skip
GROUPS = ("school", "class")  # in which persons are nested
TEXT = (*IDS, *FILES, *GROUPS, "task", "split", "site", "corpus", "scale", "sex", "content_hash")
PREFIXES = ("item_", "trait_")
LABELS = ("score", "binary")  # of NUMBERS; besides them the columns that PREFIXES begin
_SET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")  # the name of a set becomes part of the names of channels
_SHOWN = 5  # rows named per problem: enough to find the fault, few enough to read


def check_columns(table: pd.DataFrame) -> list[str]:
    """Report required columns that are missing, which the rest of the checks needs, and sets without name."""
    return [
        f"column '{name}' is missing{nearest(name, set(table.columns) - set(REQUIRED))}: {_HOLDS[name]}"
        f" (found: {most_like(name, map(str, table.columns))})"
        for name in REQUIRED
        if name not in table
    ] + [
        f"column '{name}': a feature set needs a name of letters, digits, _ and -, such as features_gaze"
        for name in feature_columns(table)
        if not _SET.fullmatch(name.removeprefix(FEATURES))
    ]


def feature_columns(names: Iterable[object]) -> list[str]:
    """Those of some columns that name feature sets, in their order."""
    return [name for name in map(str, names) if name.startswith(FEATURES)]


def file_columns(table: pd.DataFrame) -> list[str]:
    """Columns of a table that name files: those of `FILES` that it has, and its feature sets."""
    return [name for name in FILES if name in table] + feature_columns(table)


def unused_columns(table: pd.DataFrame) -> list[str]:
    """Columns that nothing reads, each with the known name it resembles."""
    known = {*TEXT, *NUMBERS}
    return [
        f"'{name}'{nearest(str(name), known - set(table.columns))}"
        for name in table.columns
        if name not in known and not str(name).startswith((*PREFIXES, FEATURES))
    ]


def describe_rows(
    table: pd.DataFrame,
    rows: Iterable[int] | pd.Series | np.ndarray,
    said: Sequence[object] | Mapping[int, object] | pd.Series | np.ndarray | None = None,
) -> str:
    """Name rows by number (the first row under the header is 1), recording and, if given, what each says.

    Args:
        table: The manifest table.
        rows: Numbers of the rows counted from 0, or a mask (N,) that is True for them.
        said: What the rows say, by row number.

    Returns:
        The first five and how many more there are; nothing where there is no row.
    """
    if isinstance(rows, pd.Series | np.ndarray):
        rows = np.flatnonzero(rows).tolist()
    if isinstance(said, pd.Series | np.ndarray):
        said = said.tolist()  # plain numbers: those of numpy name their type
    numbers, named = list(rows), []
    for row in numbers[:_SHOWN]:
        recording = str(table["recording_id"].iloc[row])
        value = "" if said is None else f" = {said[row]!r}"
        named.append(f"row {row + 1}" + (f" ({recording})" if recording else "") + value)
    return first_few(named, of=len(numbers))
