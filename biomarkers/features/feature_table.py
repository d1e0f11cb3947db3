"""The feature table: one row per recording, and a report of every missing number."""

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from biomarkers.features.extractor import Extractor, Measured, Unmeasurable
from datamodules.manifests.manifest import Recording
from datamodules.progress import Progress
from datamodules.schema import IDS
from datamodules.series import Series

REPORT = ("recording_id", "group", "kind", "reason", "features")

_BATCH = 32  # recordings that a worker takes at a time


@dataclass(frozen=True, eq=False, kw_only=True)
class Features:
    """Feature `table` (ids, one column per feature) and `report` (one row per missing number or note).

    The columns of the report are `recording_id`, `group` of features, `kind` (`gap`: these features are NaN;
    `note`: they are numbers), `reason` and the names of the `features`, separated by blanks.
    """

    table: pd.DataFrame
    report: pd.DataFrame


def feature_table(
    recordings: Iterable[tuple[Recording, Series]], extractors: Sequence[Extractor], *, workers: int = 1
) -> Features:
    """Measure all recordings; columns and their order depend on the extractors alone.

    Args:
        recordings: Ids and series of each; an iterator is read once, recording by recording.
        extractors: Groups of features, in the order of the table.
        workers: Processes that measure; the table does not depend on their number.

    Raises:
        ValueError: There are no recordings, one comes twice, two extractors give the same name, or one gave
            other names than it said or a NaN without a reason.
    """
    names = [name for extractor in extractors for name in extractor.names]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two extractors name a feature {twice[0]!r}; give one of them other channels")
    rows: dict[str, list[Any]] = {}
    report: list[tuple[str, ...]] = []
    total = len(recordings) if isinstance(recordings, Sized) else None
    found = Parallel(n_jobs=workers, return_as="generator", batch_size=_BATCH)(
        delayed(_row)([getattr(ids, name) for name in IDS], series, extractors) for ids, series in recordings
    )
    for row, lines in Progress(found, total=total, desc="Features", unit="rec"):
        if row[0] in rows:
            raise ValueError(f"recording {row[0]!r} comes twice")
        rows[row[0]] = row
        report += lines
    if not rows:
        raise ValueError("no recordings to measure")
    table = pd.DataFrame(list(rows.values()), columns=[*IDS, *names])
    return Features(table=table, report=pd.DataFrame(report, columns=list(REPORT)))


def _row(
    ids: list[Any], series: Series, extractors: Sequence[Extractor]
) -> tuple[list[Any], list[tuple[str, ...]]]:
    """Row of the table, ids first, and rows of the report."""
    row, lines = list(ids), []
    for extractor in extractors:
        measured = _measured(extractor, series, ids[0])
        row += [measured.values[name] for name in extractor.names]
        lines += _lines(ids[0], extractor.group, measured)
    return row, lines


def _measured(extractor: Extractor, series: Series, recording: str) -> Measured:
    """What the extractor measured, complete: every name has a number or a reason."""
    try:
        measured = extractor.measure(series, recording=recording)
    except Unmeasurable as fault:
        return Measured(
            values=dict.fromkeys(extractor.names, np.nan), gaps=dict.fromkeys(extractor.names, str(fault))
        )
    if strangers := sorted(set(measured.values) ^ set(extractor.names)):
        raise ValueError(f"group {extractor.group!r} gave other features than it names: {strangers[:3]}")
    missing = {name for name, value in measured.values.items() if not np.isfinite(value)}
    if unexplained := sorted(missing ^ set(measured.gaps)):
        raise ValueError(
            f"recording {recording!r}, group {extractor.group!r}: {unexplained[0]!r} is a number with the "
            "reason of a gap, or a gap without a reason"
        )
    return measured


def _lines(recording: str, group: str, measured: Measured) -> list[tuple[str, ...]]:
    """A row of the report per reason, and per note."""
    features: dict[str, list[str]] = {}
    for name, reason in measured.gaps.items():
        features.setdefault(reason, []).append(name)
    gaps: list[tuple[str, ...]] = [
        (recording, group, "gap", reason, " ".join(names)) for reason, names in features.items()
    ]
    return gaps + [(recording, group, "note", note, "") for note in measured.notes]
