"""Eye movements: rate and size of saccade-like events, duration of fixations, velocity of the noise."""

import numpy as np

from biomarkers.features.extractor import Measured, no_features, with_gaps
from biomarkers.features.timing import row_length, row_seconds
from biomarkers.oculomotor.blinks import require_rate
from biomarkers.oculomotor.gaze import directions, gaze_angles
from biomarkers.oculomotor.saccade_detection import VELOCITY_DEG_S, Movements, find_movements
from datamodules.series import Series
from datamodules.series.blinks import eyes_open

NOISE = 0.5  # our choice: a median velocity above this share of the threshold is noise


class EyeMovements:
    """Rate (1/min of seen gaze) and amplitude (deg) of jumps, duration of fixations (s), velocity (deg/s).

    Fixations whose beginning or end is not seen have no duration, and there is no rate of fixations: every
    gap would add to it. The median velocity is that of the noise, mostly, and tells how much of the rest to
    believe.
    """

    group = "eye movements"
    names = ("saccade_like_rate", "saccade_like_amplitude", "fixation_duration", "gaze_velocity")

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure one recording; where noise reaches half of the threshold its events are gaps.

        Raises:
            Unmeasurable: It is too slow or too short, or tells neither times nor a rate.
        """
        require_rate(series, recording=recording)
        angles = gaze_angles(series)
        if angles is None:
            return no_features(self.names, "no gaze angles and no gaze vectors")
        step = row_length(series, recording=recording)
        found = find_movements(
            directions(angles), eyes_open(series), row_seconds(series, recording=recording), step_s=step
        )
        return self._summary(found, len(found.velocities) * step / 60)

    def _summary(self, found: Movements, minutes: float) -> Measured:
        if not minutes:
            return no_features(self.names, "no two frames in a row with open eyes")
        # fixations fill most of the time and the eye rests in them: the median speed is what noise moves
        noise = float(np.median(found.velocities))
        if noise > NOISE * VELOCITY_DEG_S:
            reason = f"noise: the median velocity is {noise:.0f} deg/s, the threshold {VELOCITY_DEG_S:g}"
            return with_gaps(self.names, {"gaze_velocity": noise}, dict.fromkeys(self.names[:-1], reason))
        values = {"saccade_like_rate": len(found.saccades) / minutes, "gaze_velocity": noise}
        gaps = {}
        amplitudes = [event.amplitude_deg for event in found.saccades]
        durations = [event.duration_s for event in found.fixations if event.duration_s is not None]
        for name, seen, reason in (
            ("saccade_like_amplitude", amplitudes, "no saccade-like event"),
            ("fixation_duration", durations, "no fixation is seen whole"),
        ):
            if seen:
                values[name] = float(np.mean(seen))
            else:
                gaps[name] = reason
        return with_gaps(self.names, values, gaps)
