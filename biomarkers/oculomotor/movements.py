"""Fixations and saccade-like events by a velocity threshold (I-VT; Salvucci & Goldberg, ETRA 2000).

Saccades last 20 to 100 ms and a frame of video 33, so a camera sees *that* the gaze has jumped, not how:
events here are saccade-like, their amplitude is the angle between the frames before and after, and peak
velocities, which the frame rate would decide, are not given. Below `MIN_FPS` nothing is measured. Gaze of a
camera includes the turns of the head and the noise of the extractor; where the noise alone reaches the
threshold, nothing is read either.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biomarkers.features.extractor import Array, Measured, with_gaps
from biomarkers.features.timing import row_length, row_seconds
from biomarkers.oculomotor.blinks import MIN_FPS, MIN_SECONDS, eyes_open, require_rate
from biomarkers.oculomotor.gaze import degrees_between, directions, gaze_angles
from datamodules.series import Series

# Fixations stay below 100 deg/s (Salvucci & Goldberg 2000, section 2.1). The 20 to 30 deg/s of eye trackers
# lie below the noise of gaze from video.
VELOCITY_DEG_S = 100.0
# Our choice: what one frame at MIN_FPS shows at that velocity, so that all frame rates count the same events.
AMPLITUDE_DEG = VELOCITY_DEG_S / MIN_FPS
FIXATION_S = 0.06  # shorter ones are merged (Olsen 2012, the I-VT filter of Tobii: 60 ms)
NOISE = 0.5  # our choice: a median velocity above this share of the threshold is noise
_FEATURES = ("saccade_like_rate", "saccade_like_amplitude", "fixation_duration", "gaze_velocity")


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


def find_movements(
    looks: Array,
    seen: NDArray[np.bool_],
    seconds: Array,
    *,
    step_s: float,
    velocity_deg_s: float = VELOCITY_DEG_S,
    amplitude_deg: float = AMPLITUDE_DEG,
    fixation_s: float = FIXATION_S,
) -> Movements:
    """Tell saccade-like events from fixations by velocity; a gap ends both.

    A pause whose frames span less than `fixation_s` between two fast stretches joins them; a fast stretch
    whose ends lie less than `amplitude_deg` apart, as an outlier out and back, is no saccade and joins the
    fixations beside it.

    Args:
        looks: Unit vectors (T, 3).
        seen: Rows with a gaze (T,).
        seconds: Their times (T,).
        step_s: Length of a row; a step in time of more than 1.5 rows is a gap, too.
        velocity_deg_s: What is faster belongs to a saccade.
        amplitude_deg: Smallest amplitude.
        fixation_s: Shortest fixation.
    """
    saccades: list[Saccade] = []
    fixations: list[Fixation] = []
    velocities: list[Array] = []
    for rows in _stretches(seen, seconds, step_s):
        looked, times = looks[rows], seconds[rows]
        speed = degrees_between(looked[:-1], looked[1:]) / np.diff(times)
        velocities.append(speed)
        runs = _merged(_runs(speed > velocity_deg_s), looked, times, amplitude_deg, fixation_s)
        for place, (fast, first, last) in enumerate(runs):
            start, length = float(times[first]), float(times[last] - times[first])
            if fast:
                moved = _amplitude(looked, first, last)
                saccades.append(Saccade(start_s=start, duration_s=length, amplitude_deg=moved))
            else:
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
    broken = (np.diff(rows) > 1) | (np.diff(seconds[rows]) > 1.5 * step_s)
    return [part for part in np.split(rows, np.flatnonzero(broken) + 1) if len(part) > 1]


def _runs(fast: NDArray[np.bool_]) -> list[Run]:
    """Runs of equal steps; step k leads from row k to row k + 1, so neighbors share a row."""
    edges = np.flatnonzero(np.diff(fast)) + 1
    starts, stops = [0, *edges.tolist()], [*edges.tolist(), len(fast)]
    return [(bool(fast[start]), start, stop) for start, stop in zip(starts, stops, strict=True)]


def _merged(
    runs: list[Run], looks: Array, times: Array, amplitude_deg: float, fixation_s: float
) -> list[Run]:
    """First pauses that are too short become fast, then fast stretches that lead nowhere slow."""
    last = len(runs) - 1
    paused = [
        (fast or (0 < k < last and times[stop] - times[start] < fixation_s), start, stop)
        for k, (fast, start, stop) in enumerate(runs)
    ]
    joined = _joined(paused)
    return _joined(
        [
            (fast and _amplitude(looks, start, stop) >= amplitude_deg, start, stop)
            for fast, start, stop in joined
        ]
    )


def _amplitude(looks: Array, first: int, last: int) -> float:
    """Angle in degrees from one frame before a movement to one after it, whose edges may be slower."""
    before, after = max(first - 1, 0), min(last + 1, len(looks) - 1)
    return float(degrees_between(looks[before], looks[after]))


def _joined(runs: list[Run]) -> list[Run]:
    out: list[Run] = []
    for fast, start, stop in runs:
        if out and out[-1][0] == fast:
            out[-1] = (fast, out[-1][1], stop)
        else:
            out.append((fast, start, stop))
    return out


class EyeMovements:
    """Rate (1/min of seen gaze) and amplitude (deg) of jumps, duration of fixations (s), velocity (deg/s).

    Fixations whose beginning or end is not seen have no duration, and there is no rate of fixations: every
    gap would add to it. The median velocity is that of the noise, mostly, and tells how much of the rest to
    believe.

    Args:
        velocity_deg_s: As in `find_movements`.
        min_fps: Rows per second that a recording needs.
        min_seconds: Valid time that it needs.
    """

    group = "eye movements"
    names = _FEATURES

    def __init__(
        self,
        *,
        velocity_deg_s: float = VELOCITY_DEG_S,
        min_fps: float = MIN_FPS,
        min_seconds: float = MIN_SECONDS,
    ) -> None:
        if velocity_deg_s <= 0:
            raise ValueError(f"velocity_deg_s={velocity_deg_s} must be above 0")
        self.velocity_deg_s, self.min_fps, self.min_seconds = velocity_deg_s, min_fps, min_seconds

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure one recording; where noise reaches half of the threshold its events are gaps.

        Raises:
            Unmeasurable: It is too slow or too short, or tells neither times nor a rate.
        """
        require_rate(series, recording=recording, min_fps=self.min_fps, min_seconds=self.min_seconds)
        angles = gaze_angles(series)
        if angles is None:
            return with_gaps(self.names, {}, dict.fromkeys(self.names, "no gaze angles and no gaze vectors"))
        step = row_length(series, recording=recording)
        found = find_movements(
            directions(angles),
            eyes_open(series),
            row_seconds(series, recording=recording),
            step_s=step,
            velocity_deg_s=self.velocity_deg_s,
            amplitude_deg=self.velocity_deg_s / MIN_FPS,
        )
        return self._summary(found, len(found.velocities) * step / 60)

    def _summary(self, found: Movements, minutes: float) -> Measured:
        if not minutes:
            return with_gaps(
                self.names, {}, dict.fromkeys(self.names, "no two frames in a row with open eyes")
            )
        noise = float(np.median(found.velocities))
        if noise > NOISE * self.velocity_deg_s:
            reason = f"noise: the median velocity is {noise:.0f} deg/s, the threshold {self.velocity_deg_s:g}"
            return with_gaps(self.names, {"gaze_velocity": noise}, dict.fromkeys(self.names[:-1], reason))
        durations = [event.duration_s for event in found.fixations if event.duration_s is not None]
        values = {
            "saccade_like_rate": len(found.saccades) / minutes,
            "gaze_velocity": noise,
        }
        gaps = {}
        for name, seen in (
            ("saccade_like_amplitude", [event.amplitude_deg for event in found.saccades]),
            ("fixation_duration", durations),
        ):
            if seen:
                values[name] = float(np.mean(seen))
            else:
                gaps[name] = "no saccade-like event" if "saccade" in name else "no fixation is seen whole"
        return with_gaps(self.names, values, gaps)
