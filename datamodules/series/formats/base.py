"""The `Format` record that describes a file format, and helpers that several formats share."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.series import table as tables
from datamodules.series.channel_schema import Column
from datamodules.series.checks.counter_columns import TRACKING, is_counter
from datamodules.series.series import UnreadableSeries
from datamodules.series.table import numbers
from datamodules.series.timebase import Timeline, timeline

CONFIDENCE = 0.8  # OpenDBM accepts OpenFace's frames from here on (open_dbm, eye_gaze.py)
LOST = -1.0  # a confidence that says that there was no face: OpenFace writes 0, other programs this
_ROUNDED = 1e-3  # our choice
QUALITY = ("success", "confidence", "valid", "s_confidence", "FaceScore")


RowClock = Callable[[pd.DataFrame, Path, float | None], Timeline]


def counted_from(first: int | None, frame: str = "frame") -> RowClock:
    """How to place rows by frame numbers and by `timestamp` or `timestamp_ms`; any of them may be missing."""

    def place(table: pd.DataFrame, path: Path, fps: float | None) -> Timeline:
        frames = numbers(table, frame, path) if frame in table else None
        return timeline(path, len(table), frames=frames, first=first, seconds=_clock(table, path), fps=fps)

    return place


_FROM_1 = counted_from(1)  # as OpenFace counts


def _clock(table: pd.DataFrame, path: Path) -> np.ndarray | None:
    """Time of every row (n,) in seconds, from `timestamp` or `timestamp_ms`; None where there is neither.

    Raises:
        UnreadableSeries: Both are there.
    """
    if "timestamp" in table and "timestamp_ms" in table:
        raise UnreadableSeries(f"{path}: 'timestamp' and 'timestamp_ms' both tell the time; remove one")
    if "timestamp_ms" in table:
        return np.asarray(numbers(table, "timestamp_ms", path) / 1000)
    return numbers(table, "timestamp", path) if "timestamp" in table else None


def tracked(table: pd.DataFrame, path: Path) -> np.ndarray:
    """Rows (n,) whose face was found (`success`, `valid`) with enough `confidence`; text is no success."""
    valid = np.ones(len(table), dtype=bool)
    if "success" in table:
        valid &= row_marks(table, "success", path) == 1
    if "confidence" in table:
        valid &= confidences(table, "confidence", path) >= CONFIDENCE
    if "valid" in table:
        valid &= row_marks(table, "valid", path) == 1
    return valid


def confidences(table: pd.DataFrame, name: str, path: Path) -> np.ndarray:
    """Column (n,) of shares from 0 to 1, NaN where a cell is empty, -1 where there was no face.

    Raises:
        UnreadableSeries: It holds something else, such as percent.
    """
    values = numbers(table, name, path)
    if (odd := values[((values < 0) & (values != LOST)) | (values > 1 + _ROUNDED)]).size:
        raise UnreadableSeries(
            f"{path}: '{name}' is {odd[0]:g} in {len(odd)} of {len(values)} rows, and is a share from 0 to "
            "1; divide percent by 100, and leave rows without a face empty, or write -1 or 0 there"
        )
    return values


def row_marks(table: pd.DataFrame, name: str, path: Path) -> np.ndarray:
    """Column (n,) of 0 and 1, NaN where a cell is empty.

    Raises:
        UnreadableSeries: It holds something else.
    """
    values = numbers(table, name, path)
    if (odd := values[~np.isnan(values) & (values != 0) & (values != 1)]).size:
        raise UnreadableSeries(
            f"{path}: '{name}' is {odd[0]:g} in {len(odd)} of {len(values)} rows, and is 1 for a row with a "
            "measurement and 0 for others; write 0 or 1"
        )
    return values


def is_blank(values: np.ndarray) -> bool:
    """Whether several channels (T, F) are all 0, or no number, in every row.

    This is how extractors without a column of quality write a face that was never found.
    """
    return (
        values.ndim == 2
        and not np.nan_to_num(values).any()
        and (values.shape[1] > 1 or np.isnan(values).all())
    )


def one_face(table: pd.DataFrame, path: Path, notes: list[str]) -> pd.DataFrame:
    """Rows of the face that is tracked most often, where a frame shows several."""
    return most_present(table, "face_id", tracked(table, path), path, notes)


def most_present(
    table: pd.DataFrame, name: str, present: np.ndarray, path: Path, notes: list[str]
) -> pd.DataFrame:
    """Keep the rows of the face that is present most often.

    Args:
        table: Rows of one or several faces.
        name: Column that tells them apart.
        present: Which rows show a face (n,).
        path: The file, for messages.
        notes: Takes a remark on what was left out.

    Raises:
        UnreadableSeries: Two faces are present equally often.
    """
    if name not in table or table[name].nunique() < 2:
        return table
    counts = table[name][present].value_counts()
    if len(counts) > 1 and counts.iloc[0] == counts.iloc[1]:
        raise UnreadableSeries(
            f"{path}: faces {counts.index[0]} and {counts.index[1]} of '{name}' are present in "
            f"{counts.iloc[0]} frames each; keep the rows of the person you mean"
        )
    kept = counts.index[0] if len(counts) else table[name].iloc[0]
    notes.append(
        f"{path} shows {table[name].nunique()} faces; the series is that of {name} {kept}, present in "
        f"{counts.get(kept, 0)} of {len(table)} rows"
    )
    rows: pd.DataFrame = table[table[name] == kept]
    return rows.reset_index(drop=True)


@dataclass(frozen=True, kw_only=True)
class Format:
    """One file format.

    Attributes:
        name: For messages.
        recognises: Whether a file of this path and these column names is of the format.
        columns: Canonical channel of each column; what is not listed keeps its own name.
        skipped: Columns that are never channels, beside those of tracking: time, quality, persons, text. They
            are at hand in `timeline`, `valid` and `rows`.
        is_skipped: The same for columns too many to list.
        timeline: Place the rows of the table in time; told the frame rate of the video, if known.
        valid: Rows (n,) with a measurement.
        rows: Choose rows of the table, before all else; remarks go into the list.
        header: Names of all columns of the file, or of those that belong to it.
        load: Read some columns of them.
        only_when_named: Columns that are no channels unless channels are named.
        strict: A value that is no number in a valid row is an error and does not just make the row invalid.
    """

    name: str
    recognises: Callable[[Path, Sequence[str]], bool]
    columns: Mapping[str, Column]
    timeline: RowClock = _FROM_1
    valid: Callable[[pd.DataFrame, Path], np.ndarray] = tracked
    rows: Callable[[pd.DataFrame, Path, list[str]], pd.DataFrame] = one_face
    skipped: frozenset[str] = TRACKING
    is_skipped: Callable[[str], bool] = lambda _: False
    header: Callable[[Path], tuple[str, ...]] = tables.header
    load: Callable[[Path, Collection[str]], pd.DataFrame] = tables.load
    only_when_named: Callable[[Path], frozenset[str]] = lambda _: frozenset()
    strict: bool = False

    def channel(self, column: str) -> Column | None:
        """What the column holds; None for one that is no channel, such as a row number or a clock."""
        if is_counter(column) or column in self.skipped or self.is_skipped(column):
            return None
        return self.columns.get(column, Column(channel=column))
