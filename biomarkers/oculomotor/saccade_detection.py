"""Fixations and saccade-like events by a velocity threshold (I-VT; Salvucci & Goldberg, ETRA 2000).

Saccades last 20 to 100 ms and a frame of video 33, so a camera sees *that* the gaze has jumped, not how:
events here are saccade-like, their amplitude is the angle between the frames before and after, and peak
velocities, which the frame rate would decide, are not given. Below `MIN_FPS` nothing is measured. Gaze of a
camera includes the turns of the head and the noise of the extractor; where the noise alone reaches the
threshold, nothing is read either.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biomarkers.features.extractor import Array
from biomarkers.oculomotor.blinks import MIN_FPS
from biomarkers.oculomotor.gaze import degrees_between

# Our choice: the bound that Salvucci & Goldberg (2000) name for fixations; the 20 to 30 deg/s of eye trackers
# lie below the noise of gaze from video.
VELOCITY_DEG_S = 100.0
# Our choice: what one frame at MIN_FPS shows at that velocity, so that all frame rates count the same events.
AMPLITUDE_DEG = VELOCITY_DEG_S / MIN_FPS
FIXATION_S = 0.06  # shorter ones are merged (Olsen 2012, the I-VT filter of Tobii: 60 ms)


@dataclass(frozen=True, kw_only=True)
class Saccade:
    """A saccade-like event, from the last frame before it to the first one after."""

    start_s: float
    duration_s: float
    amplitude_deg: float


@dataclass(frozen=True, kw_only=True)
class Fixation:
    """A fixation: its first frame, and how long it lasts; None where its beginning or end is not seen."""

    start_s: float
    duration_s: float | None


@dataclass(frozen=True, kw_only=True)
class Movements:
    """Events of a gaze in the order of time, and all velocities between neighboring frames in deg/s."""

    saccades: list[Saccade]
    fixations: list[Fixation]
    velocities: Array


def find_movements(looks: Array, seen: NDArray[np.bool_], seconds: Array, *, step_s: float) -> Movements:
    """Tell saccade-like events from fixations by velocity; a gap ends both.

    What is faster than `VELOCITY_DEG_S` belongs to a saccade. A pause whose frames span less than
    `FIXATION_S` between two fast stretches joins them; a fast stretch whose ends lie less than
    `AMPLITUDE_DEG` apart, as an outlier out and back, is no saccade and joins the fixations beside it.

    Args:
        looks: Unit vectors (T, 3).
        seen: Rows with a gaze (T,).
        seconds: Their times (T,).
        step_s: Length of a row; a step in time of more than 1.5 rows is a gap, too.
    """
    saccades: list[Saccade] = []
    fixations: list[Fixation] = []
    velocities: list[Array] = []
    for rows in _stretches(seen, seconds, step_s):
        looked, times = looks[rows], seconds[rows]
        speed = degrees_between(looked[:-1], looked[1:]) / np.diff(times)
        velocities.append(speed)
        runs = _merged(_runs(speed > VELOCITY_DEG_S), looked, times)
        for place, (fast, first, last) in enumerate(runs):
            start, length = float(times[first]), float(times[last] - times[first])
            if fast:
                moved = _amplitude(looked, first, last)
                saccades.append(Saccade(start_s=start, duration_s=length, amplitude_deg=moved))
            else:
                # at either end of a stretch the fixation may go on unseen: its length would be too short
                whole = 0 < place < len(runs) - 1
                fixations.append(Fixation(start_s=start, duration_s=length + step_s if whole else None))
    return Movements(
        saccades=saccades,
        fixations=fixations,
        velocities=np.concatenate(velocities) if velocities else np.empty(0),
    )


Run = tuple[bool, int, int]  # whether it is fast, its first and its last row


def _stretches(seen: NDArray[np.bool_], seconds: Array, step_s: float) -> list[NDArray[np.int_]]:
    """Rows of every stretch of two or more seen frames without a gap."""
    rows = np.flatnonzero(seen)
    # rows that a reader dropped leave no gap among the row numbers, only among the times
    broken = (np.diff(rows) > 1) | (np.diff(seconds[rows]) > 1.5 * step_s)
    return [part for part in np.split(rows, np.flatnonzero(broken) + 1) if len(part) > 1]


def _runs(fast: NDArray[np.bool_]) -> list[Run]:
    """Runs of equal steps; step k leads from row k to row k + 1, so neighbors share a row."""
    edges = np.flatnonzero(np.diff(fast)) + 1
    starts, stops = [0, *edges.tolist()], [*edges.tolist(), len(fast)]
    return [(bool(fast[start]), start, stop) for start, stop in zip(starts, stops, strict=True)]


def _merged(runs: list[Run], looks: Array, times: Array) -> list[Run]:
    """First pauses that are too short become fast, then fast stretches that lead nowhere slow."""
    # In this order: a saccade that noise cuts in two has an amplitude only once it is whole again. A run at
    # either end is no pause between two saccades, however short it is.
    last = len(runs) - 1
    whole = _joined(
        (fast or (0 < k < last and times[stop] - times[start] < FIXATION_S), start, stop)
        for k, (fast, start, stop) in enumerate(runs)
    )
    return _joined(
        (fast and _amplitude(looks, start, stop) >= AMPLITUDE_DEG, start, stop) for fast, start, stop in whole
    )


def _amplitude(looks: Array, first: int, last: int) -> float:
    """Angle in degrees from one frame before a movement to one after it, whose edges may be slower."""
    before, after = max(first - 1, 0), min(last + 1, len(looks) - 1)
    return float(degrees_between(looks[before], looks[after]))


def _joined(runs: Iterable[Run]) -> list[Run]:
    """Neighbors of one kind as one run."""
    out: list[Run] = []
    for fast, start, stop in runs:
        if out and out[-1][0] == fast:
            out[-1] = (fast, out[-1][1], stop)
        else:
            out.append((fast, start, stop))
    return out
