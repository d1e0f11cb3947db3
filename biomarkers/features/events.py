"""Events of a channel (threshold with hysteresis): rate, duration, onset and offset speed.

Events are those of `series.events`; their thresholds are our choice. An event whose beginning or end is not
seen counts in the rate; it is left out of durations and of the speed of the side that is not seen.
"""

from collections.abc import Sequence

import numpy as np

from biomarkers.features.extractor import Measured, require_valid, with_gaps
from biomarkers.features.timing import row_length, row_seconds
from datamodules.series import Series
from datamodules.series.events import HIGH, LOW, find_events
from datamodules.series.series import column

_MEANS = (  # feature, its name in messages, attribute of an event
    ("event_duration", "duration", "duration_s"),
    ("onset_speed", "onset", "onset"),
    ("offset_speed", "offset", "offset"),
)
_FEATURES = ("event_rate", *(name for name, _, _ in _MEANS))


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
