"""Blinks: rate, duration, and whether two signals of eye closure agree.

A blink is a short event of a signal of closure, found as in `series.blinks`; what lasts longer than half a
second is a closure, or a look down that the signal takes for one. At 30 frames/s a blink of 0.1 to 0.4 s
(Schiffman, 2001) is 3 to 12 frames, so durations are good to a frame and speeds of the lids cannot be read.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from biomarkers.features.extractor import MIN_FRAMES, Array, Measured, Unmeasurable, with_gaps
from biomarkers.features.timing import row_length, row_seconds
from datamodules.series import Series
from datamodules.series.blinks import LONGEST_S, SIGNALS, THRESHOLDS, Signal, closure, find_blinks

MIN_FPS = 15.0  # our choice: a blink of 0.15 s must fill two frames
MIN_SECONDS = 4.0  # our choice: in less, one event is more than 15 a minute
_SLACK = 0.99  # 14.985 frames/s count as 15


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
        events = {name: find_blinks(x, series.valid, seconds, name) for name, x in signals.items()}
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


def _agreement(starts: Mapping[Signal, Array], signal: Signal, other: Signal) -> str:
    """How many blinks of one signal begin within half a second of one of the other."""
    mine, theirs = starts[signal], starts[other]
    near = np.abs(mine[:, None] - theirs[None]) <= LONGEST_S
    return f"{mine.size} blinks by {signal}, {theirs.size} by {other}, {int(near.any(axis=1).sum())} by both"
