"""The time of every row: dropped frames become rows again, and clocks that run backwards stop the reading."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.series.series import UnreadableSeries

_LONGEST = 10_000_000  # frames, our choice: 90 hours at 30 frames/s


@dataclass(frozen=True, eq=False, kw_only=True)
class Timeline:
    """Row `position` (n,) of every table row in a series of `length` rows, their `seconds` and the rate."""

    position: np.ndarray
    length: int
    seconds: np.ndarray | None
    fps: float | None


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
            all numbers share a divisor, frames were skipped on purpose and the series has that lower rate.
        first: Number of the first frame of a video; None takes that of the first row.
        seconds: Time of every row (n,).
        fps: Frames per second of the video, used only where there are no `seconds`.

    Raises:
        UnreadableSeries: A time or frame number that is missing, repeats or goes backwards.
    """
    position, skip = np.arange(rows), 1
    if frames is not None:
        _check_increasing(path, frames, "frame")
        if (frames % 1).any():
            raise UnreadableSeries(f"{path}: frame {frames[(frames % 1) > 0][0]:g} is not a whole number")
        position, skip = _positions(frames, first)
    length = int(position[-1]) + 1 if rows else 0
    if length > _LONGEST:
        raise UnreadableSeries(f"{path}: {rows} rows cannot span {length} frames; correct the frame numbers")
    if seconds is None:
        own = None if fps is None else fps / skip
        times = None if own is None else np.arange(length) / own
        return Timeline(position=position, length=length, seconds=times, fps=own)
    _check_increasing(path, seconds, "time")
    own = rate(seconds, position)
    return Timeline(
        position=position, length=length, seconds=_filled(position, length, seconds, own), fps=own
    )


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
    return float(rows[usual].sum() / steps[usual].sum())


def _positions(frames: np.ndarray, first: int | None) -> tuple[np.ndarray, int]:
    numbers = frames.astype(np.int64)
    start = int(numbers[0]) if first is None else min(first, int(numbers[0]))
    skip = math.gcd(*(numbers - start).tolist()) if len(numbers) > 1 else 1
    return (numbers - start) // skip, skip


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
        raise UnreadableSeries(
            f"{path}: {what} {values[row]:g} in row {row} comes after {values[row - 1]:g} "
            f"({len(wrong)} such rows); times must grow from row to row, sort the rows or extract again"
        )
