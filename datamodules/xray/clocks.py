"""What a file tells of its time: rate, changes of the rate, steps backwards, span."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datamodules.series.timebase import rate

_PARTS, _PART = 8, 24  # of a file whose rates are compared, and the rows of each at least; our choice
CHANGED = 1.15  # as for series: rounding of times moves the rate of so many rows by 2 %
_SURE = 6.0  # standard errors that parts differ by, against clocks that tremble; our choice


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Of one file, in the unit that it calls its times by.

    `rate` is pictures (or rows without numbers) per second, `rows_rate` rows per second, `span` the
    seconds from the beginning of the first row to the end of the last. `slow` and `fast` are the rates of
    two parts that differ too much to be one, with the first row of each; `back` is the first row of `backs`
    that do not come later than the row before. `stated` is the rate that the file states.
    """

    rate: float | None
    rows_rate: float | None = None
    span: float | None = None
    slow: tuple[float, int] | None = None
    fast: tuple[float, int] | None = None
    back: int = 0
    backs: int = 0
    stated: float | None = None


def clock_of(
    times: NDArray[np.float64] | None,
    *,
    per_second: float,
    frames: NDArray[np.float64] | None,
    stated: float | None,
) -> Clock | None:
    """The clock of a file; None where it tells nothing of its time.

    Args:
        times: Of its rows (T,).
        per_second: Of their unit, how many a second has.
        frames: Numbers of the pictures behind the rows (T,), so that a lost one is no slow step.
        stated: The rate that the file states.
    """
    if times is None or len(times) < 2 or not np.isfinite(times).all() or not times.any():
        return None if stated is None else Clock(rate=None, stated=stated)
    seconds = times / per_second
    steps = np.diff(seconds)
    back = np.flatnonzero(steps <= 0)
    if back.size:
        return Clock(rate=None, back=int(back[0]) + 1, backs=len(back), stated=stated)
    position = _positions(frames, len(seconds))
    own, rows = rate(seconds, position), rate(seconds)
    slow, fast = _parts(seconds, position)
    end = 0.0 if rows is None else 1 / rows
    return Clock(
        rate=own,
        rows_rate=rows,
        span=float(seconds[-1] - seconds[0]) + end,
        slow=slow,
        fast=fast,
        stated=stated,
    )


def _positions(frames: NDArray[np.float64] | None, length: int) -> NDArray[np.float64]:
    usable = frames is not None and np.isfinite(frames).all() and (np.diff(frames) > 0).all()
    return frames if usable and frames is not None else np.arange(length, dtype=np.float64)


def _parts(
    seconds: NDArray[np.float64], position: NDArray[np.float64]
) -> tuple[tuple[float, int], tuple[float, int]] | tuple[None, None]:
    """The slowest and the fastest part, where they are not of one rate: median steps, as gaps are none."""
    step = np.diff(seconds) / np.diff(position)
    parts = np.array_split(np.arange(len(step)), max(1, min(_PARTS, len(step) // _PART)))
    if len(parts) < 2:
        return None, None
    middle = np.array([np.median(step[part]) for part in parts])
    spread = np.array([1.4826 * np.median(np.abs(step[part] - np.median(step[part]))) for part in parts])
    error = 1.2533 * spread / np.sqrt([len(part) for part in parts])  # of a median of normal steps
    long, short = int(middle.argmax()), int(middle.argmin())
    apart = middle[long] - middle[short]
    if middle[long] <= CHANGED * middle[short] or apart < _SURE * np.hypot(error[long], error[short]):
        return None, None
    return (1 / float(middle[long]), int(parts[long][0])), (1 / float(middle[short]), int(parts[short][0]))
