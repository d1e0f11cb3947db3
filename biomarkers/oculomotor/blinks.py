"""Blinks: rate, duration, and whether two signals of eye closure agree.

A blink is a short event of a signal of closure, found as in `features.events`: it rises above the recording's
own median by `low`, reaches `high`, and lasts at most half a second; what lasts longer is a closure, or a
look down that the signal takes for one. At 30 frames/s a blink of 0.1 to 0.4 s (Schiffman, 2001) is 3 to 12
frames, so durations are good to a frame and speeds of the lids cannot be read at all.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from biomarkers.features.events import Event, find_events
from biomarkers.features.extractor import MIN_FRAMES, Array, Measured, Unmeasurable, column, with_gaps
from biomarkers.features.timing import row_length, row_seconds
from biomarkers.oculomotor.landmarks import eye_aspect_ratio
from datamodules.series import Series

Signal = Literal["au45", "eyeBlink", "eye_aspect_ratio", "au45_present"]
SIGNALS: tuple[Signal, ...] = ("au45", "eyeBlink", "eye_aspect_ratio", "au45_present")  # first there is read

# Our choice. AU45 in intensities 0-5 above the own median: OpenFace's blinks peak near 2. MediaPipe's
# blendshapes, mean of both eyes, run from 0 to 1. Of the aspect ratio the share by which it falls below its
# median: the lids of a shape model never close.
THRESHOLDS: dict[Signal, tuple[float, float]] = {
    "au45": (0.5, 1.0),
    "eyeBlink": (0.2, 0.4),
    "au45_present": (0.5, 1.0),
    "eye_aspect_ratio": (0.15, 0.25),
}
LONGEST_S = 0.5  # our choice, the usual limit between a blink and closed eyes
MIN_FPS = 15.0  # our choice: a blink of 0.15 s must fill two frames
MIN_SECONDS = 4.0  # our choice: in less, one event is more than 15 a minute
_SLACK = 0.99  # 14.985 frames/s count as 15


def closure(series: Series, signal: Signal) -> Array | None:
    """Signal of closure (T,) above its median over the valid rows, or None where the series lacks it."""
    if signal == "eye_aspect_ratio":
        ratio = eye_aspect_ratio(series)
        if ratio is None:
            return None
        own = float(np.median(ratio[series.valid])) if series.valid.any() else 0.0
        return 1 - ratio / own if own > 0 else np.zeros(len(ratio))
    names = ("eyeBlinkLeft", "eyeBlinkRight") if signal == "eyeBlink" else (signal,)
    columns = [x for name in names if (x := column(series, name)) is not None]
    if len(columns) < len(names):
        return None
    mean = np.asarray(np.mean(columns, axis=0))
    # A presence is 0 or 1 already. Intensities are counted from the own median, because faces and extractors
    # differ in what they show with open eyes.
    if signal == "au45_present" or not series.valid.any():
        return mean
    return np.asarray(mean - np.median(mean[series.valid]))


def eyes_open(series: Series) -> NDArray[np.bool_]:
    """Valid rows (T,) without a sign of closing eyes: no AU45 present, the first other signal below `low`."""
    kept = series.valid.copy()
    others = [name for name in SIGNALS if name != "au45_present" and closure(series, name) is not None]
    signals: list[Signal] = ["au45_present", *others[:1]]
    for name in signals:
        x = closure(series, name)
        if x is not None:
            kept &= x < THRESHOLDS[name][0]
    return kept


def too_few_open(seen: NDArray[np.bool_]) -> str:
    """Why the rows of `eyes_open` (T,) are too few for statistics; empty if they are enough."""
    count = int(seen.sum())
    return f"{count} frames with open eyes, {MIN_FRAMES} are needed" if count < MIN_FRAMES else ""


def require_rate(series: Series, *, recording: str) -> float:
    """Return the seconds of valid rows; stop if the series is too slow or too short for events.

    Raises:
        Unmeasurable: It is too slow or too short, or tells neither times nor a rate.
    """
    step = row_length(series, recording=recording)
    if 1 / step < MIN_FPS * _SLACK:
        raise Unmeasurable(
            f"recording {recording!r} has {1 / step:.3g} frames/s; events of the eyes need {MIN_FPS:g}"
        )
    seen = float(series.valid.sum()) * step
    if seen < MIN_SECONDS:
        raise Unmeasurable(
            f"recording {recording!r} shows {seen:.3g} s of a face; a rate needs {MIN_SECONDS:g} s"
        )
    return seen


class BlinkFeatures:
    """Rates of blinks and closures (1/min of valid time), mean duration (s), share of closed frames.

    Notes tell how many blinks a second signal confirms where the series holds one.

    Args:
        signal: What is read; None takes the first of `SIGNALS` that is there.
    """

    group = "blinks"
    names = ("blink_rate", "blink_duration", "closure_rate", "closed_share")

    def __init__(self, *, signal: Signal | None = None) -> None:
        if signal is not None and signal not in SIGNALS:
            raise ValueError(f"signal={signal!r}: choose one of {', '.join(SIGNALS)}")
        self.signal = signal

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure one recording; without a blink its rate is 0 and the duration a gap.

        Raises:
            Unmeasurable: It is too slow or too short, has no time, or holds no signal of closure.
        """
        seen = require_rate(series, recording=recording)
        signals = {name: x for name in SIGNALS if (x := closure(series, name)) is not None}
        wanted = SIGNALS if self.signal is None else (self.signal,)
        read = next((name for name in wanted if name in signals), None)
        if read is None:
            raise Unmeasurable(
                f"recording {recording!r} has none of {', '.join(wanted)}, so no blinks are seen"
            )
        seconds = row_seconds(series, recording=recording)
        events = {name: _events(x, series.valid, seconds, name) for name, x in signals.items()}
        blinks, long = events[read]
        found = {
            "blink_rate": len(blinks) / seen * 60,
            "closure_rate": len(long) / seen * 60,
            "closed_share": float((signals[read][series.valid] >= THRESHOLDS[read][0]).mean()),
        }
        gaps = {}
        if durations := [event.duration_s for event in blinks if event.duration_s is not None]:
            found["blink_duration"] = float(np.mean(durations))
        else:
            gaps["blink_duration"] = "the duration of no blink is seen" if blinks else "no blink"
        starts = {name: np.array([event.start_s for event in own]) for name, (own, _) in events.items()}
        notes = [_agreement(starts, read, other) for other in signals if other != read]
        return replace(with_gaps(self.names, found, gaps), notes=(f"blinks from {read}", *notes))


def _events(
    x: Array, valid: NDArray[np.bool_], seconds: Array, signal: Signal
) -> tuple[list[Event], list[Event]]:
    """Blinks and longer closures of a signal (T,)."""
    low, high = THRESHOLDS[signal]
    events = find_events(x, valid, seconds, low=low, high=high)
    # an event that a gap or an edge cuts has no duration and counts as a blink: most events are blinks
    long = [event for event in events if event.duration_s is not None and event.duration_s > LONGEST_S]
    return [event for event in events if event not in long], long


def _agreement(starts: Mapping[Signal, Array], signal: Signal, other: Signal) -> str:
    """How many blinks of one signal begin within half a second of one of the other."""
    mine, theirs = starts[signal], starts[other]
    near = np.abs(mine[:, None] - theirs[None]) <= LONGEST_S
    return f"{mine.size} blinks by {signal}, {theirs.size} by {other}, {int(near.any(axis=1).sum())} by both"
