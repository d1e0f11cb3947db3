"""Time base of a series: dropped frames become rows again, impossible clocks are refused."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.series.series import UnreadableSeries

SLOWEST, FASTEST = 1.0, 240.0  # frames/s that cameras have, our choice; D-Vlog's landmarks have 1
_ROUNDING = 0.01  # a rate this far beyond the limits is one of them, read from rounded times
_APART = 0.03  # our choice: 24 and 25 frames/s are told apart, 29.97 and 30 are not
_LONGEST = 10_000_000  # frames, our choice: 90 hours at 30 frames/s
_SPARSE, _SHORT = 50, 10_000  # our choice: a face in 2 % of the frames, and in any share of 5 minutes
_LEAD = 250  # rows without a measurement that are put before a table in silence, our choice: 10 s
_PAUSE = 3600.0  # seconds, our choice: longer ones in a short table are a wrong clock
_EXACT = 2.0**53
_STOP = 2.0  # seconds without a row that are told, our choice
_PARTS, _PART = 10, 16  # of a table whose rates are compared, and the rows that each has at least, our choice
_REPEATED = {
    "time": "where times are rounded, as to 0.01 s, write all their digits, or leave them out and fill 'fps' "
    "in the manifest; else remove the rows that repeat",
    "frame": "keep one row a frame",
}
_CHANGED = 1.15  # our choice: rounding of times moves the rate of 16 rows by 2 %, 24 and 30 frames/s are told


@dataclass(frozen=True, eq=False, kw_only=True)
class Timeline:
    """Placement of table rows in time: `position` (n,) in a series of `length` rows, `seconds` and the rate.

    `notes` tell what a person should know of it.
    """

    position: np.ndarray
    length: int
    seconds: np.ndarray | None
    fps: float | None
    notes: tuple[str, ...] = ()


def timeline(
    path: Path,
    rows: int,
    *,
    frames: np.ndarray | None = None,
    first: int | None = None,
    seconds: np.ndarray | None = None,
    fps: float | None = None,
) -> Timeline:
    """Place the rows of a table in time.

    Args:
        path: The file, for messages.
        rows: Rows of the table.
        frames: Number of the frame of every row (n,): a number left out is a row without a measurement. Where
            all steps share a divisor, frames were skipped on purpose and the series has that lower rate.
        first: Number of the first frame of a video; None takes that of the first row. A table that begins
            later than it is long was cut out of a longer one and begins with its own first row.
        seconds: Time of every row (n,). Where all are 0, as OpenFace writes for pictures, they tell nothing.
        fps: Frames per second of the video. Used where there are no `seconds`, compared with them elsewhere.

    Raises:
        UnreadableSeries: A time or frame number that is missing, repeats or goes backwards, a clock that no
            camera has, or numbers that span far more frames than there are rows.
    """
    position, skip, notes = np.arange(rows), 1, list[str]()
    if seconds is not None and rows > 1 and not seconds.any():
        seconds = None
        if fps is None:
            notes.append(f"{path}: the time is 0 in every row; fill 'fps' in the manifest")
    if frames is not None:
        position, skip, lead = _positions(path, frames, first)
        notes += _lead_note(path, frames, lead, position)
    length = int(position[-1]) + 1 if rows else 0
    # One wrong frame number must not become a series of millions of empty rows.
    if length > min(_LONGEST, _SPARSE * rows + _SHORT):
        raise UnreadableSeries(f"{path}: {rows} rows cannot span {length} frames; correct the frame numbers")
    if seconds is None:
        # The rate of the video counts its frames, and rows may be every `skip`-th of them.
        own = None if fps is None else check_rate(path, fps, "the manifest's 'fps'") / skip
        times = None if own is None else np.arange(length) / own
        return Timeline(position=position, length=length, seconds=times, fps=own, notes=tuple(notes))
    _check_increasing(path, seconds, "time")
    own = rate(seconds, position)
    if own is not None:
        check_rate(path, own * skip, "its clock")
        _check_jumps(path, frames, seconds, own)
        notes += rate_note(path, own * skip, fps)
        notes += _pace_notes(path, seconds, position, own)
    times = _filled(position, length, seconds, own)
    return Timeline(position=position, length=length, seconds=times, fps=own, notes=tuple(notes))


def rate(seconds: np.ndarray, position: np.ndarray | None = None) -> float | None:
    """Rows per second: one over the mean of those steps that lie within half of the median step.

    The median alone is off by 1 % at 30 frames/s, because extractors round times to a millisecond; the plain
    mean would count gaps.
    """
    if len(seconds) < 2:
        return None
    rows = np.ones(len(seconds) - 1) if position is None else np.diff(position)
    steps = np.diff(seconds)
    median = np.median(steps / rows)
    usual = np.abs(steps / rows - median) <= median / 2
    if not usual.any():  # the median of an even count is between steps, and may be far from all: 2 and 10 s
        return float(1 / median)
    return float(rows[usual].sum() / steps[usual].sum())


def _pace_notes(path: Path, seconds: np.ndarray, position: np.ndarray, own: float) -> list[str]:
    """Remarks where equal steps of rows are no equal steps of time: a clock that stops or changes."""
    notes = []
    remedy = "set data.module.source.fps to have the rows placed in time, cut the file there, or correct it"
    # Dropped frames take time too, but their numbers say so; only time beyond the numbers is idle.
    idle = np.diff(seconds) - np.diff(position) / own
    if (stops := np.flatnonzero(idle > _STOP)).size:
        row = int(np.argmax(idle)) + 1
        notes.append(
            f"{path}: {seconds[row] - seconds[row - 1]:.4g} s pass between rows {row - 1} and {row}, which "
            f"follow each other at {own:.4g} rows/s ({stops.size} such places); {remedy}"
        )
    parts = np.array_split(np.arange(len(seconds)), max(1, min(_PARTS, len(seconds) // _PART)))
    rates = [rate(seconds[part], position[part]) or own for part in parts]
    slow, fast = int(np.argmin(rates)), int(np.argmax(rates))
    if rates[fast] > _CHANGED * rates[slow]:
        told = " and ".join(
            f"{rates[part]:.4g} rows/s in rows {parts[part][0]} to {parts[part][-1]}"
            for part in sorted((slow, fast))
        )
        notes.append(f"{path}: its clock changes the rate: {told}; {remedy}")
        return notes
    running = float(seconds[-1] - seconds[0] - idle[stops].sum())
    whole = float(position[-1] - position[0]) / running
    if not 1 / _CHANGED <= own / whole <= _CHANGED:
        notes.append(
            f"{path}: its rows are no equal steps of time: {own:.4g} rows/s by the usual step and "
            f"{whole:.4g} over the whole; {remedy}"
        )
    return notes


def check_rate(path: Path, fps: float, what: str) -> float:
    """Return a rate that a camera can have.

    Raises:
        UnreadableSeries: Names the file, the rate, and milliseconds where they explain it.
    """
    if SLOWEST * (1 - _ROUNDING) <= fps <= FASTEST * (1 + _ROUNDING):
        return fps
    likely = ""
    if SLOWEST <= 1000 * fps <= FASTEST:
        likely = "; it looks like milliseconds: call the column 'timestamp_ms', or divide it by 1000"
    raise UnreadableSeries(
        f"{path}: {what} gives {fps:.4g} frames/s, and cameras have {SLOWEST:g} to {FASTEST:g}{likely}; "
        "correct the times (in seconds), or leave them out and fill 'fps' in the manifest"
    )


def rate_note(path: Path, own: float, fps: float | None) -> list[str]:
    """A remark where the rate of a file is not that of its video or manifest."""
    if not fps or abs(own / fps - 1) <= _APART:
        return []
    return [
        f"{path}: its clock runs at {own:.4g} frames/s, but the manifest or its video says {fps:.4g}; the "
        "clock of the file is used: correct its times, or 'fps' in the manifest"
    ]


def _positions(path: Path, frames: np.ndarray, first: int | None) -> tuple[np.ndarray, int, int]:
    """Row of every frame number, the frames from row to row, and the frames before a part cut out."""
    _check_increasing(path, frames, "frame")
    if (frames % 1).any():
        raise UnreadableSeries(f"{path}: frame {frames[(frames % 1) > 0][0]:g} is not a whole number")
    if (np.abs(frames) > _EXACT).any():
        raise UnreadableSeries(f"{path}: frame {frames[-1]:g} cannot be counted; correct the frame numbers")
    numbers = frames.astype(np.int64)
    own = int(numbers[0]) if len(numbers) else 0
    start = own if first is None else min(first, own)
    lead = own - start
    if lead > max(_LEAD, int(numbers[-1]) - own + 1 if len(numbers) else 0):
        start = own  # a part of a longer table
    # Steps of 5, 5, 10 are every fifth frame with one lost: the series has a fifth of the rate and one gap.
    skip = math.gcd(*np.diff(numbers).tolist()) if len(numbers) > 1 else 1
    lead = lead if lead >= skip else 0  # every 5th frame from the 5th on lacks none
    return (numbers - own) // skip + (own - start) // skip, skip, lead


def _lead_note(path: Path, frames: np.ndarray, lead: int, position: np.ndarray) -> list[str]:
    if lead <= _LEAD:
        return []
    told = f"{path}: its first row is frame {frames[0]:g}"
    if position[0]:
        return [f"{told}; the {lead} frames before it are rows without a measurement"]
    return [f"{told}: a part of a longer table, whose other {lead} frames are no rows of the series"]


def _check_jumps(path: Path, frames: np.ndarray | None, seconds: np.ndarray, own: float) -> None:
    """Stop where frame numbers run ahead of the clock, or the clock far ahead of the rows."""
    if frames is not None:
        step, passed = np.diff(frames), np.diff(seconds)
        wrong = np.flatnonzero((step > 10) & (step / passed > 4 * FASTEST))
        if len(wrong):
            row = wrong[0] + 1
            raise UnreadableSeries(
                f"{path}: frame {frames[row]:g} in row {row} comes {passed[row - 1]:.3g} s after frame "
                f"{frames[row - 1]:g}; correct the frame numbers or the times"
            )
    span = float(seconds[-1] - seconds[0])
    if span > _SPARSE * len(seconds) / own + _PAUSE:
        row = int(np.argmax(np.diff(seconds))) + 1
        raise UnreadableSeries(
            f"{path}: time {seconds[row]:g} in row {row} comes {seconds[row] - seconds[row - 1]:.4g} s after "
            f"the row before, in a table of {len(seconds)} rows at {own:.4g}/s; correct the times"
        )


def _filled(position: np.ndarray, length: int, seconds: np.ndarray, fps: float | None) -> np.ndarray:
    """Times of all rows, those of rows that the table lacks in between and before its first."""
    rows = np.arange(length)
    times = np.interp(rows, position, seconds)
    if len(position) and fps is not None:
        before = rows < position[0]
        times[before] = seconds[0] - (position[0] - rows[before]) / fps
    return np.asarray(times, dtype=np.float64)


def _check_increasing(path: Path, values: np.ndarray, what: str) -> None:
    missing = np.flatnonzero(~np.isfinite(values))
    if len(missing):
        raise UnreadableSeries(f"{path}: no {what} in row {missing[0]}; extract the file again")
    wrong = np.flatnonzero(np.diff(values) <= 0)
    if len(wrong):
        row = wrong[0] + 1
        # A fall back to the beginning is a second table; any other fall is a disorder within one.
        if row > 1 and values[row] < values[1]:
            raise UnreadableSeries(
                f"{path}: {what} {values[row]:g} in row {row} comes after {values[row - 1]:g} and begins "
                "anew: two tables in one file; give each recording a file of its own"
            )
        if (np.diff(values) >= 0).all():
            raise UnreadableSeries(
                f"{path}: {what} {values[row]:g} in row {row} comes after {values[row - 1]:g}, the same "
                f"again ({len(wrong)} such rows); {_REPEATED[what]}"
            )
        raise UnreadableSeries(
            f"{path}: {what} {values[row]:g} in row {row} comes after {values[row - 1]:g} "
            f"({len(wrong)} such rows); times must grow from row to row, sort the rows or extract again"
        )
