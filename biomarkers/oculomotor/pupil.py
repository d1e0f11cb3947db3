"""The pupil estimated by a shape model: its ratio to the iris, and whether it is usable as a pupil.

OpenFace fits a model of the eye's shape to an image in which a dark iris swallows the pupil; it is no
pupillometer. The ratio of the diameters needs no scale, and frames with closed eyes do not count. The verdict
rests on what a pupil must do: both pupils move together (the consensual reflex), by more than the rounding of
the file moves the ratio.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from biomarkers.features.extractor import Array, Measured, no_features, require_valid, with_gaps
from biomarkers.oculomotor.blinks import too_few_open
from datamodules.series import Series
from datamodules.series.blinks import eyes_open
from datamodules.series.eye_landmarks import ring_diameters
from datamodules.series.series import column

EYES_AGREE = 0.8  # our choice: correlation of the eyes; pupillometers give above 0.9 (anisocoria apart)
FLOOR_FACTOR = 3.0  # our choice: spread over that of rounding alone
RESOLUTION_MM = 0.1  # of the 3-D points in OpenFace's files
SHAPE_MODEL = "points of a shape model fitted to the image, not a pupillometer"
UNREADABLE = "cannot be read as a pupil"
_RING_PAIRS = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class PupilSeries:
    """Ratio of pupil to iris diameter (T, E) of E eyes, where it is `seen` (T,), and the spread of rounding.

    `floor` is the standard deviation that rounded landmarks alone give the ratio; None where it is unknown.
    """

    ratio: Array
    seen: NDArray[np.bool_]
    floor: float | None


@dataclass(frozen=True, kw_only=True)
class Validity:
    """Whether a series can be read as a pupil: the reasons why not, and the numbers behind them."""

    reasons: tuple[str, ...]
    cv: float
    eyes_correlation: float | None

    @property
    def readable(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons

    def __str__(self) -> str:
        return "readable as a pupil" if self.readable else f"{UNREADABLE}: {'; '.join(self.reasons)}"


def pupil_series(series: Series) -> PupilSeries | None:
    """Ratio of the diameters of both eyes from their landmarks, else the channel `pupil`, else None.

    Rounding the coordinates to q gives a distance the variance q^2 / 6, the mean of four q^2 / 24, and the
    ratio r = p / i the standard deviation r q sqrt((1 / p^2 + 1 / i^2) / 24).
    """
    diameters, seen = ring_diameters(series), eyes_open(series)
    if diameters is None:
        own = column(series, "pupil")
        if own is None:
            return None
        return PupilSeries(ratio=own[:, None], seen=seen & (own > 0), floor=None)
    pupil, iris = diameters
    seen = seen & (iris > 0).all(axis=1) & (pupil > 0).all(axis=1)
    ratio = np.divide(pupil, iris, out=np.zeros_like(pupil), where=iris > 0)
    floor = None
    if seen.any():
        p, i = (np.median(part[seen]) for part in (pupil, iris))
        floor = float(p / i * RESOLUTION_MM * np.sqrt((1 / p**2 + 1 / i**2) / (6 * _RING_PAIRS)))
    return PupilSeries(ratio=ratio, seen=seen, floor=floor)


def pupil_validity(pupil: PupilSeries) -> Validity:
    """The verdict on a series with two or more seen frames."""
    ratio = pupil.ratio[pupil.seen]
    cv = float(np.mean(ratio.std(axis=0, ddof=1) / ratio.mean(axis=0)))
    floor_cv = None if pupil.floor is None else pupil.floor / float(ratio.mean())
    reasons = []
    agreement = None
    if ratio.shape[1] < 2:
        reasons.append("one series of both eyes, so whether the eyes agree cannot be seen")
    elif (np.ptp(ratio, axis=0) == 0).any():
        reasons.append("an eye is constant")
    else:
        agreement = float(np.corrcoef(ratio.T)[0, 1])
        if agreement < EYES_AGREE:
            reasons.append(f"the eyes correlate by {agreement:.2f}, below {EYES_AGREE:g}")
    if floor_cv is not None and cv < FLOOR_FACTOR * floor_cv:
        reasons.append(f"it varies by {cv:.2%}, rounding alone gives {floor_cv:.2%}")
    return Validity(reasons=tuple(reasons), cv=cv, eyes_correlation=agreement)


class PupilRatio:
    """Mean, standard deviation and coefficient of variation of the ratio, and the correlation of the eyes.

    Mean and spread are those of each eye, averaged. A note carries the verdict on every recording; no feature
    is withheld for it, so that an analysis can show what such a series is worth.
    """

    group = "pupil"
    names = ("pupil_ratio", "pupil_ratio_sd", "pupil_ratio_cv", "pupil_eyes_correlation")

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure one recording.

        Raises:
            Unmeasurable: It has too few valid frames.
        """
        require_valid(series, recording=recording)
        pupil = pupil_series(series)
        if pupil is None:
            return no_features(self.names, "no eye landmarks and no pupil channel")
        if reason := too_few_open(pupil.seen):
            return no_features(self.names, reason)
        validity, ratio = pupil_validity(pupil), pupil.ratio[pupil.seen]
        found = {
            "pupil_ratio": float(ratio.mean()),
            "pupil_ratio_sd": float(ratio.std(axis=0, ddof=1).mean()),
            "pupil_ratio_cv": validity.cv,
        }
        gaps = {}
        if validity.eyes_correlation is None:
            gaps["pupil_eyes_correlation"] = validity.reasons[0]
        else:
            found["pupil_eyes_correlation"] = validity.eyes_correlation
        notes = (str(validity), *([SHAPE_MODEL] if ratio.shape[1] > 1 else []))
        return replace(with_gaps(self.names, found, gaps), notes=notes)
