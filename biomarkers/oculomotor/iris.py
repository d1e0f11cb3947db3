"""Iris diameter from MediaPipe's landmarks: a measure of scale and distance, not of the pupil.

The ring of landmarks lies on the border of the iris, whose diameter is 11.7 mm in everybody, give or take
0.5; functions that call it a pupil measure how far away the camera stands.
"""

from biomarkers.features.extractor import Measured, require_valid, with_gaps
from biomarkers.oculomotor.blinks import eyes_open
from biomarkers.oculomotor.landmarks import iris_diameters
from datamodules.series import Series

MIN_FRAMES = 30  # our choice, as for the other statistics


class IrisDiameter:
    """Mean and standard deviation of the diameter of the iris, both eyes, in the unit that the note tells.

    Args:
        min_frames: Frames with open eyes that a recording needs.
    """

    group = "iris"
    names = ("iris_diameter", "iris_diameter_sd")

    def __init__(self, *, min_frames: int = MIN_FRAMES) -> None:
        if min_frames < 2:
            raise ValueError(f"min_frames={min_frames}: a spread needs 2 or more")
        self.min_frames = min_frames

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure one recording.

        Raises:
            Unmeasurable: It has too few valid frames.
        """
        require_valid(series, at_least=self.min_frames, recording=recording)
        found, seen = iris_diameters(series), eyes_open(series)
        if found is None or seen.sum() < self.min_frames:
            reason = (
                "no iris points of MediaPipe" if found is None else f"{int(seen.sum())} frames with open eyes"
            )
            return with_gaps(self.names, {}, dict.fromkeys(self.names, reason))
        diameters, unit = found
        own = diameters[seen]
        values = {
            "iris_diameter": float(own.mean()),
            "iris_diameter_sd": float(own.std(axis=0, ddof=1).mean()),
        }
        measured = with_gaps(self.names, values, {})
        return Measured(values=measured.values, notes=(f"iris in {unit}: a measure of distance, no pupil",))
