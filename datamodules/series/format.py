"""What a reader must know of one file format, and the parts that several formats share."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.series import table as tables
from datamodules.series.schema import Column
from datamodules.series.series import UnreadableSeries
from datamodules.series.table import numbers
from datamodules.series.timebase import Timeline, timeline

_log = logging.getLogger(__name__)

CONFIDENCE = 0.8  # OpenDBM accepts OpenFace's frames from here on (open_dbm, eye_gaze.py)
TRACKING = frozenset({"frame", "face_id", "face", "timestamp", "confidence", "success"})  # never channels


def openface_timeline(table: pd.DataFrame, path: Path, fps: float | None) -> Timeline:
    """Frames count from 1 and `timestamp` is in seconds; either may be missing."""
    return timeline(
        path,
        len(table),
        frames=numbers(table, "frame", path) if "frame" in table else None,
        first=1,
        seconds=numbers(table, "timestamp", path) if "timestamp" in table else None,
        fps=fps,
    )


def tracked(table: pd.DataFrame, path: Path) -> np.ndarray:
    """Rows (n,) whose face was found (`success`) with enough `confidence`; text there is no success."""
    valid = np.ones(len(table), dtype=bool)
    if "success" in table:
        valid &= numbers(table, "success", path) == 1
    if "confidence" in table:
        valid &= numbers(table, "confidence", path) >= CONFIDENCE
    return valid


def one_face(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Rows of the face that is tracked most often, where a frame shows several."""
    return most_present(table, "face_id", tracked(table, path), path)


def most_present(table: pd.DataFrame, name: str, present: np.ndarray, path: Path) -> pd.DataFrame:
    """Keep the rows of the face that is present most often.

    Args:
        table: Rows of one or several faces.
        name: Column that tells them apart.
        present: Which rows show a face (n,).
        path: The file, for messages.

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
    _log.warning(
        "%s shows %d faces; the series is that of %s %s, present in %d of %d rows",
        path,
        table[name].nunique(),
        name,
        kept,
        counts.get(kept, 0),
        len(table),
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
        rows: Choose rows of the table, before all else.
        files: Files that a path stands for.
        header: Names of all columns of these files.
        load: Read some columns of them.
        only_when_named: Columns that are no channels unless channels are named.
        strict: A value that is no number in a valid row is an error and does not just make the row invalid.
    """

    name: str
    recognises: Callable[[Path, Sequence[str]], bool]
    columns: Mapping[str, Column]
    timeline: Callable[[pd.DataFrame, Path, float | None], Timeline] = openface_timeline
    valid: Callable[[pd.DataFrame, Path], np.ndarray] = tracked
    rows: Callable[[pd.DataFrame, Path], pd.DataFrame] = one_face
    skipped: frozenset[str] = field(default=TRACKING)
    is_skipped: Callable[[str], bool] = lambda _: False
    files: Callable[[Path], tuple[Path, ...]] = lambda path: (path,)
    header: Callable[[Path], tuple[str, ...]] = tables.header
    load: Callable[[Path, Collection[str]], pd.DataFrame] = tables.load
    only_when_named: Callable[[Path], frozenset[str]] = lambda _: frozenset()
    strict: bool = False

    def channel(self, column: str) -> Column | None:
        """What the column holds; None for one that is no channel, such as a nameless row number."""
        if not column or column in TRACKING or column in self.skipped or self.is_skipped(column):
            return None
        return self.columns.get(column, Column(channel=column))
