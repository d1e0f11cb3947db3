"""Check that other time and rate columns of a file agree with the clock that is read."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.series.checks.counter_columns import is_clock, is_rate
from datamodules.series.timebase import FASTEST, SLOWEST, rate

_UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_APART = 0.03  # as for the clock that is read
_FEWEST, _COARSE = 16, 100  # different times, our choice; and where rows share them, within 2 %
_ROUNDED = 1.01  # a rate this far beyond the limits is one of them, read from rounded times
_ROW = 1e-6  # a step this near to 1 counts rows


def other_clocks(
    path: Path,
    columns: Mapping[str, np.ndarray],
    position: np.ndarray,
    fps: float | None,
    video: float | None,
) -> list[str]:
    """Remarks on columns of time or rate that contradict the rate of the series, or are all that tells it.

    A time may be in s, ms, us or ns: only one of these readings is a rate that cameras have, whatever the
    name says. What repeats or goes backwards, counts rows, or is no number tells nothing here.

    Args:
        path: The file, for messages.
        columns: Name -> values (n,) of columns that `is_clock` or `is_rate` names, read as the clock or not.
        position: Row of each in the series (n,).
        fps: Rows per second of the series, None where nothing that is read tells them.
        video: Frames per second of the manifest or the video, if known.
    """
    notes = []
    for name, values in columns.items():
        if is_rate(name):
            own = _stated(values)
            agrees = [known for known in (fps, video) if known]
        else:
            own = clock_rate(values, position) if is_clock(name) else None
            agrees = [fps] if fps else []
        if own is None or any(abs(own / known - 1) <= _APART for known in agrees):
            continue
        if fps is None:
            notes.append(
                f"{path}: '{name}' tells {own:.4g} rows/s and is not read; call it 'timestamp' (in seconds) "
                "or 'timestamp_ms', or fill 'fps' in the manifest"
            )
        else:
            notes.append(
                f"{path}: '{name}' tells {own:.4g} rows/s, but the series is read at {fps:.4g}; correct the "
                "rate of the manifest or the times, call the right clock 'timestamp' (in seconds) or "
                "'timestamp_ms', and remove the wrong one"
            )
    return notes


def seconds_of(column: pd.Series) -> np.ndarray:
    """Seconds (n,) of times in words, `00:00:01.067` or `2021-01-05T09:00:01`; NaN for what is none.

    Examples:
        >>> seconds_of(pd.Series(["00:00:01.5", "00:01:00"])).tolist()
        [1.5, 60.0]
    """
    if pd.api.types.is_numeric_dtype(column):
        return np.full(len(column), np.nan)
    text = column.astype(str).str.strip()
    spans = pd.to_timedelta(text, errors="coerce")
    if spans.isna().all():
        days = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=True)
        spans = days - days.min()
    return spans.dt.total_seconds().to_numpy(dtype=np.float64)


def clock_rate(values: np.ndarray, position: np.ndarray) -> float | None:
    """Rows per second that a column of times tells; None where it is no clock of a camera.

    Examples:
        >>> round(clock_rate(np.arange(20) * 40_000.0, np.arange(20)), 6)  # microseconds
        25.0
    """
    if len(values) < _FEWEST or not np.isfinite(values).all():
        return None
    steps = np.diff(values)
    coarse = not steps.all()  # several rows share a time
    if (steps < 0).any() or np.count_nonzero(steps) < (_COARSE if coarse else _FEWEST - 1):
        return None
    step = np.ptp(values) / np.ptp(position) if coarse else np.median(steps / np.diff(position))
    if not coarse and abs(step - 1) < _ROW:
        return None
    for unit in _UNITS.values():
        if SLOWEST / _ROUNDED <= unit / step <= FASTEST * _ROUNDED:
            return float(unit / step) if coarse else rate(values / unit, position)
    return None


def _stated(values: np.ndarray) -> float | None:
    """The rate in a column that holds the same one in every row."""
    known = values[np.isfinite(values)]
    return float(known[0]) if known.size and known[0] > 0 and not np.ptp(known) else None
