"""Trimming of one recording to a phase of the experiment, such as the induction of an emotion."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from biomarkers.features.extractor import Unmeasurable
from biomarkers.features.timing import row_length, row_seconds
from datamodules.series import Series

_TEXT, _TIMES = ("recording_id", "phase"), ("start_s", "stop_s")


class PhaseError(ValueError):
    """A table of phases that cannot be trusted; the message lists all of its faults."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Part of a recording from `start_s` up to, but without, `stop_s`, in seconds of its clock."""

    recording_id: str
    phase: str
    start_s: float
    stop_s: float

    def __str__(self) -> str:
        return f"phase {self.phase!r} of recording {self.recording_id!r} ({self.start_s:g}-{self.stop_s:g} s)"


def read_phases(path: Path) -> list[Phase]:
    """Read a CSV with the columns recording_id, phase, start_s and stop_s; phases may overlap.

    Raises:
        PhaseError: The file or a column is missing, or rows have faults; all are listed.
    """
    if not path.is_file():
        raise PhaseError(f"{path}: no such table of phases; write one with {', '.join(_TEXT + _TIMES)}")
    table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    table.columns = table.columns.str.strip()
    if missing := [name for name in _TEXT + _TIMES if name not in table]:
        raise PhaseError(f"{path}: column {missing[0]!r} is missing (found: {', '.join(table.columns)})")
    texts = {name: table[name].str.strip() for name in _TEXT}
    times = {name: pd.to_numeric(table[name].str.strip(), errors="coerce") for name in _TIMES}
    rows = pd.DataFrame(texts | times)
    if problems := _faults(rows, table):
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise PhaseError(f"{path}: {len(problems)} problem(s) in the phases\n{listed}")
    return [
        Phase(recording_id=recording, phase=phase, start_s=float(start), stop_s=float(stop))
        for recording, phase, start, stop in rows.itertuples(index=False)
    ]


def _faults(rows: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """Faults of a table that has all columns; rows are counted from 1 under the header."""
    if not len(rows):
        return ["the table has no rows"]
    problems = []
    twice = rows.duplicated(list(_TEXT))
    for row, (recording, phase, start, stop) in enumerate(rows.itertuples(index=False)):
        where = f"row {row + 1} ({recording}, {phase})"
        if not recording or not phase:
            problems.append(f"{where}: recording_id or phase is empty")
        if not (np.isfinite(start) and np.isfinite(stop)):
            given = " and ".join(f"{name}={table[name].iloc[row]!r}" for name in _TIMES)
            problems.append(f"{where}: {given} must be two numbers of seconds")
        elif not 0 <= start < stop:
            problems.append(f"{where}: {start:g}-{stop:g} s does not run forward from 0 or later")
        if twice.iloc[row]:
            problems.append(f"{where}: this phase of this recording is listed twice; give it another name")
    return problems


def find_phase(phases: Sequence[Phase], *, recording_id: str, phase: str) -> Phase:
    """The phase of that name of a recording.

    Raises:
        PhaseError: The recording has none.
    """
    own = {entry.phase: entry for entry in phases if entry.recording_id == recording_id}
    if phase not in own:
        close = difflib.get_close_matches(phase, list(own), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise PhaseError(
            f"recording {recording_id!r} has no phase {phase!r} (found: {', '.join(own) or 'none'}){hint}"
        )
    return own[phase]


def trim(series: Series, phase: Phase) -> Series:
    """Rows with start <= time < stop; they keep their times.

    Phase and recording may disagree by one row at either end, the rounding of two clocks.

    Raises:
        Unmeasurable: The phase reaches beyond the recording or holds no valid frame.
    """
    seconds = row_seconds(series, recording=phase.recording_id)
    step = row_length(series, recording=phase.recording_id)
    first, last = float(seconds[0]), float(seconds[-1]) + step
    if phase.start_s < first - step or phase.stop_s > last + step:
        raise Unmeasurable(
            f"{phase} lies outside the recording, which runs from {first:g} to {last:g} s; correct the times"
        )
    # Half a millisecond is how far extractors round their times.
    inside = (seconds >= phase.start_s - 5e-4) & (seconds < phase.stop_s - 5e-4)
    if not series.valid[inside].any():
        raise Unmeasurable(f"{phase} holds no valid frame ({int(inside.sum())} frames in all)")
    return replace(series, values=series.values[inside], valid=series.valid[inside], seconds=seconds[inside])
