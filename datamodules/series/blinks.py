"""Blinks: short events of a signal of eye closure.

A blink is a short event as in `events`: it rises above the recording's own median by `low`, reaches `high`,
and lasts at most half a second; what lasts longer is a closure, or a look down that the signal takes for one.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from datamodules.series.events import Array, Event, find_events
from datamodules.series.eye_landmarks import eye_aspect_ratio
from datamodules.series.series import Series, column

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


def closure(series: Series, signal: Signal) -> Array | None:
    """Signal of closure (T,) above its median over the valid rows, or None where the series lacks it."""
    if signal == "eye_aspect_ratio":
        ratio = eye_aspect_ratio(series)
        return None if ratio is None else lid_closure(ratio, series.valid)
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


def lid_closure(ratio: Array, valid: NDArray[np.bool_]) -> Array:
    """Share (T,) by which an aspect ratio falls below its median over the valid rows; negative above it."""
    own = float(np.median(ratio[valid])) if valid.any() else 0.0
    return 1 - ratio / own if own > 0 else np.zeros(len(ratio))


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


def find_blinks(
    x: Array, valid: NDArray[np.bool_], seconds: Array, signal: Signal
) -> tuple[list[Event], list[Event]]:
    """Blinks and longer closures of a signal of closure (T,) at `seconds` (T,), in the order of time."""
    low, high = THRESHOLDS[signal]
    events = find_events(x, valid, seconds, low=low, high=high)
    # an event that a gap or an edge cuts has no duration and counts as a blink: most events are blinks
    long = [event for event in events if event.duration_s is not None and event.duration_s > LONGEST_S]
    return [event for event in events if event not in long], long
