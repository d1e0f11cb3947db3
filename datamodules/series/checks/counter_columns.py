"""Detection of columns that count rows or tell the time: as channels they would reveal the length."""

import re

import numpy as np

_UNIT = r"(s|secs?|seconds?|ms|msecs?|milliseconds?|us|usecs?|microseconds?|ns)"
_WHOSE = r"(approx|frame|video|media|unix|posix|epoch|utc|system|wall|local|device|capture|relative|elapsed)"
_TIME = r"(time(_?stamps?)?|ts|epoch|clock|date(_?time)?)"
_CLOCK_NAME = re.compile(
    rf"t|{_UNIT}|({_WHOSE}_?)?{_TIME}(_?(in_)?({_UNIT}|min))?|pts(_?(time|{_UNIT}))?"
    rf"|unix|utc|(duration|elapsed)(_?{_UNIT})?",
    re.IGNORECASE,
)
_RATE_NAME = re.compile(r"(video_?)?(fps|frame_?rate)", re.IGNORECASE)
_NAME = re.compile(
    r"unnamed(:_?\d+(\.\d+)*(_level_\d+)?)?|__index_level_\d+__|level_\d+|index|#"
    r"|row(_?(number|no|nr|num|id|idx|index))?|face(_?id)?|confidence|success|valid"
    r"|frames?(_?(number|no|nr|num|id|idx|index|count))?"
    r"|n_?frames|num_?frames",
    re.IGNORECASE,
)
# Columns of time, faces and quality, which every format may have and which are never channels.
TRACKING = frozenset({"frame", "face_id", "timestamp", "timestamp_ms", "confidence", "success", "valid"})
_FEWEST, _MONOTONE = 16, 250  # rows, our choice: equal steps; 10 s that grow in every row
_STEP = 0.05  # of a step, our choice: what rounding to milliseconds may do to a clock
_COARSE, _ROUNDED = 100, 2.0  # different values, and rounded steps off a line, our choice
_CLOCK = 0.02  # our choice: how far a clock's rate may be from that of the series
_UNITS = (1, 1e3, 1e6, 1e9, 1 / 60, 1 / 3600, 1 / 86400)  # of a clock in a second, from ns to days
_DATES = (946_684_800, 2_208_988_800)  # seconds of 2000 and 2040 since 1970, our choice


def canonical(name: str) -> str:
    """The name of a column without blanks around it; those of time and quality also in their own spelling.

    Examples:
        >>> canonical(" Success"), canonical("Face ID"), canonical("AU01_r")
        ('success', 'face_id', 'AU01_r')
    """
    name = name.strip()
    plain = re.sub(r"[\s_]+", "_", name.lower())
    return plain if plain in TRACKING else name


def is_counter(name: str) -> bool:
    """Whether a column is named like a row number, a clock or the quality of tracking; a nameless one is.

    Examples:
        >>> is_counter("Unnamed: 0"), is_counter("Time_s"), is_counter("au12")
        (True, True, False)
    """
    plain = _plain(name)
    return not plain or _NAME.fullmatch(plain) is not None or is_clock(name) or is_rate(name)


def is_clock(name: str) -> bool:
    """Whether a column is named like a time: `time`, `Time (s)`, `timestamp_us`, `pts_time`, `elapsed`.

    Examples:
        >>> is_clock("Time (s)"), is_clock("timestamp_us"), is_clock("frame"), is_clock("smile_time_ratio")
        (True, True, False, False)
    """
    return _CLOCK_NAME.fullmatch(_plain(name)) is not None


def is_rate(name: str) -> bool:
    """Whether a column is named like the frame rate of the video.

    Examples:
        >>> is_rate("FPS"), is_rate("heart_rate")
        (True, False)
    """
    return _RATE_NAME.fullmatch(_plain(name)) is not None


def _plain(name: str) -> str:
    """A name with `_` for blanks and brackets."""
    return re.sub(r"[\s()\[\]]+", "_", name.strip(" \t()[]"))


def is_counting(values: np.ndarray, valid: np.ndarray, place: np.ndarray, fps: float | None) -> bool:
    """Whether a column only counts or tells the time, whatever it is called.

    Such a column grows (or falls) from each row to the next, in whole numbers or at the rate of the series in
    a unit of time, and lies on a line by the place or the number of the rows; over 10 s either of the two is
    enough. A line of 100 steps may repeat rounded values. Where no rate is known, a line from 0 is a time.
    What never falls and lies between 2000 and 2040, in seconds since 1970 or smaller units, is a date.
    Nothing that a face does is so regular.

    Args:
        values: Column as the file holds it, float64: a date has no steps left in float32 (n,). Rows without
            a number do not count.
        valid: Rows with a measurement (n,): a column that counts in these is a counter, too.
        place: Row of each in the series (n,).
        fps: Rows per second of the series, if known.
    """
    finite = np.isfinite(values)
    if _grows_as_counted(values[finite], place[finite], fps):
        return True
    measured = finite & valid
    return measured.sum() < finite.sum() and _grows_as_counted(values[measured], place[measured], fps)


def _grows_as_counted(values: np.ndarray, place: np.ndarray, fps: float | None) -> bool:
    if len(values) < _FEWEST:
        return False
    values = values.astype(np.float64)
    steps = np.diff(values)
    if (steps >= 0).all() and _is_date(values):
        return True
    if not ((steps > 0).all() or (steps < 0).all()):
        return _is_rounded_line(values, steps, place)
    long = len(values) >= _MONOTONE
    line = _is_line(values, place) or _is_line(values, np.arange(len(values)))
    return (long and line) or ((long or line) and _counts(values, place, fps))


def _is_rounded_line(values: np.ndarray, steps: np.ndarray, place: np.ndarray) -> bool:
    """Whether rows share values of a clock or a counter that is rounded to a larger step than theirs."""
    changes = np.abs(steps[steps != 0])
    if len(changes) < _COARSE or not ((steps >= 0).all() or (steps <= 0).all()):
        return False
    slope = np.ptp(values) / np.ptp(place) * np.sign(values[-1] - values[0])
    return bool(np.abs(values - values[0] - slope * (place - place[0])).max() <= _ROUNDED * changes.min())


def _is_date(values: np.ndarray) -> bool:
    return any(
        _DATES[0] * unit <= values[0] and values[-1] <= _DATES[1] * unit for unit in (1, 1e3, 1e6, 1e9)
    )


def _counts(values: np.ndarray, place: np.ndarray, fps: float | None) -> bool:
    """Whether the steps are whole, or those of a clock."""
    if not (values % 1).any():
        return True
    slope = (values[-1] - values[0]) / (place[-1] - place[0])
    if fps is None:
        return bool(0 <= values[0] < slope <= 1)
    return any(abs(slope * fps / unit - 1) < _CLOCK for unit in _UNITS)


def _is_line(values: np.ndarray, order: np.ndarray) -> bool:
    slope = (values[-1] - values[0]) / (order[-1] - order[0])
    away = np.abs(values - values[0] - slope * (order - order[0])).max()
    return bool(away <= _STEP * abs(slope))
