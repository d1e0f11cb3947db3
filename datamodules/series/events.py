"""Events of a signal, by a threshold with hysteresis.

An event is a stretch of frames at or above `low` that reaches `high` somewhere (a threshold with hysteresis:
noise around one threshold would split events). An invalid frame ends an event. What is not seen of an event,
at a gap or at the edge of the recording, is None: a cut duration would be too short.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]

LOW, HIGH = 0.5, 1.0  # our choice, in intensities 0-5: 1 is a trace of movement in FACS, half of it is none


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event: seconds from its first frame to the one after its last, and speeds in intensity per second.

    `rows` are those of the signal. What was not seen is None. `onset` is the rise from the frame before the
    event to the first frame at its peak, over the time between them; `offset` the fall from the last frame at
    its peak to the one after it.
    """

    rows: slice
    start_s: float
    duration_s: float | None
    onset: float | None
    offset: float | None


def find_events(
    x: Array, valid: NDArray[np.bool_], seconds: Array, *, low: float = LOW, high: float = HIGH
) -> list[Event]:
    """Events of a signal, in the order of time.

    Args:
        x: Intensity (T,).
        valid: Frames with a measurement (T,).
        seconds: Their times (T,).
        low: An event lasts while x >= low.
        high: It must reach x >= high.

    Raises:
        ValueError: `high` is below `low`.
    """
    if high < low:
        raise ValueError(f"high={high} must not be below low={low}")
    labels, _ = ndimage.label((x >= low) & valid)
    stretches = [piece[0] for piece in ndimage.find_objects(labels)]
    return [_event(x, valid, seconds, piece) for piece in stretches if x[piece].max() >= high]


def _event(x: Array, valid: NDArray[np.bool_], seconds: Array, piece: slice) -> Event:
    before, after = piece.start - 1, piece.stop
    began = before >= 0 and bool(valid[before])
    ended = after < len(x) and bool(valid[after])
    apex = piece.start + np.flatnonzero(x[piece] == x[piece].max())
    first, last = int(apex[0]), int(apex[-1])
    return Event(
        rows=piece,
        start_s=float(seconds[piece.start]),
        duration_s=float(seconds[after] - seconds[piece.start]) if began and ended else None,
        onset=float((x[first] - x[before]) / (seconds[first] - seconds[before])) if began else None,
        offset=float((x[last] - x[after]) / (seconds[after] - seconds[last])) if ended else None,
    )
