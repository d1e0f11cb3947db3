"""Events of a channel (threshold with hysteresis): rate, duration, onset and offset speed.

An event is a stretch of frames at or above `low` that reaches `high` somewhere (a threshold with hysteresis:
noise around one threshold would split events). Thresholds are our choice. An invalid frame ends an event. An
event whose beginning or end is not seen, at a gap or at the edge of the recording, counts in the rate; it is
left out of durations and of the speed of the side that is not seen, because a cut duration is too short.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from biomarkers.features.extractor import Array, Measured, column, require_valid, with_gaps
from biomarkers.features.timing import row_length, row_seconds
from datamodules.series import Series

LOW, HIGH = 0.5, 1.0  # our choice, in intensities 0-5: 1 is a trace of movement in FACS, half of it is none
_MEANS = (  # feature, its name in messages, attribute of an event
    ("event_duration", "duration", "duration_s"),
    ("onset_speed", "onset", "onset"),
    ("offset_speed", "offset", "offset"),
)
_FEATURES = ("event_rate", *(name for name, _, _ in _MEANS))


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event: seconds from its first frame to the one after its last, and speeds in intensity per second.

    What was not seen is None. `onset` is the rise from the frame before the event to the first frame at its
    peak, over the time between them; `offset` the fall from the last frame at its peak to the one after it.
    """

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
        start_s=float(seconds[piece.start]),
        duration_s=float(seconds[after] - seconds[piece.start]) if began and ended else None,
        onset=float((x[first] - x[before]) / (seconds[first] - seconds[before])) if began else None,
        offset=float((x[last] - x[after]) / (seconds[after] - seconds[last])) if ended else None,
    )


class EventFeatures:
    """Rate (events per minute of valid frames), mean duration (s), mean onset and offset speed (1/s).

    Args:
        channels: Names of the channels.
        low: Threshold that ends an event.
        high: Threshold that makes one.
        from_median: Subtract the recording's own median first: faces differ in what they show at rest, and an
            intensity that rests above `high` would be one long event.
    """

    group = "events"

    def __init__(
        self, *, channels: Sequence[str], low: float = LOW, high: float = HIGH, from_median: bool = False
    ) -> None:
        if high < low:
            raise ValueError(f"high={high} must not be below low={low}")
        self.channels, self.low, self.high = tuple(channels), low, high
        self.from_median = from_median
        self.names = tuple(f"{channel}_{name}" for channel in self.channels for name in _FEATURES)

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure one recording; without an event its rate is 0 and the other features are gaps.

        Raises:
            Unmeasurable: It has too few valid frames, or neither times nor a rate.
        """
        require_valid(series, recording=recording)
        seconds = row_seconds(series, recording=recording)
        minutes = float(series.valid.sum()) * row_length(series, recording=recording) / 60
        found: dict[str, float] = {}
        gaps: dict[str, str] = {}
        for channel in self.channels:
            x = column(series, channel)
            if x is None:
                gaps |= {f"{channel}_{name}": f"no channel {channel!r}" for name in _FEATURES}
                continue
            level = float(np.median(x[series.valid])) if self.from_median else 0.0
            events = find_events(x - level, series.valid, seconds, low=self.low, high=self.high)
            found[f"{channel}_event_rate"] = len(events) / minutes
            for name, what, attribute in _MEANS:
                values = [getattr(event, attribute) for event in events]
                if seen := [value for value in values if value is not None]:
                    found[f"{channel}_{name}"] = float(np.mean(seen))
                else:
                    reason = f"the {what} of no event is seen" if events else "no event"
                    gaps[f"{channel}_{name}"] = f"{channel!r}: {reason}"
        return with_gaps(self.names, found, gaps)
