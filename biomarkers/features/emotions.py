"""Emotion intensities over time, as sums of the intensities of action units.

Parikh, Sadeghi & Eskofier (arXiv 2407.13753), table II. Their file format, OpenFace's, has no intensity of
AU16 and AU28, members of disgust and fear; how they summed without them is not told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from biomarkers.features.action_units import Availability, available, select_units
from biomarkers.features.extractor import Extractor, Measured, Unmeasurable
from datamodules.series import Series

# The B of AU5B in surprise grades an intensity; a sum of intensities takes AU5 as it is.
EMOTIONS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "happiness": (6, 12),
        "sadness": (1, 4, 15),
        "surprise": (1, 2, 5, 26),
        "fear": (1, 2, 4, 5, 20, 26, 28),
        "disgust": (9, 15, 16),
        "anger": (4, 5, 7, 23),
    }
)
Missing = Literal["sum_available", "leave_out"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Emotions:
    """Emotion intensities as channels of `series`, the `members` of each sum, emotions without a sum."""

    series: Series
    members: Mapping[str, Availability]
    left_out: tuple[str, ...]


def emotion_intensities(
    series: Series,
    *,
    missing: Missing,
    table: Mapping[str, Sequence[int]] = EMOTIONS,
    presence_intensity: float | None = None,
) -> Emotions:
    """Sum the intensities of the members of each emotion, frame by frame; n members sum to 0-5n.

    Args:
        series: With intensities of action units.
        missing: Sum the members that are there, or leave out an emotion that lacks one. One that lacks all is
            left out in either case.
        table: Numbers of the units of each emotion.
        presence_intensity: As in `select_units`; None substitutes nothing.

    Raises:
        ValueError: No emotion is left.
    """
    substitute = presence_intensity is not None
    members = {name: available(series, units, substitute=substitute) for name, units in table.items()}
    tolerant = missing == "sum_available"
    kept = [
        name
        for name, report in members.items()
        if (report.found or report.substituted) and (tolerant or not report.missing)
    ]
    if not kept:
        raise ValueError(f"no emotion can be summed ({'; '.join(f'{n}: {r}' for n, r in members.items())})")
    sums = [
        select_units(series, table[name], presence_intensity=presence_intensity)[0].values.sum(axis=1)
        for name in kept
    ]
    result = Series(
        values=np.stack(sums, axis=1).astype(np.float32),
        channels=tuple(kept),
        valid=series.valid,
        fps=series.fps,
        seconds=series.seconds,
    )
    return Emotions(
        series=result, members=members, left_out=tuple(name for name in table if name not in kept)
    )


class EmotionFeatures:
    """Features of emotions instead of channels; notes say which members a sum lacks.

    Args:
        extractor: Whose channels are emotions.
        missing: As in `emotion_intensities`.
        table: As in `emotion_intensities`.
    """

    def __init__(
        self,
        *,
        extractor: Extractor,
        missing: Missing,
        table: Mapping[str, Sequence[int]] = EMOTIONS,
    ) -> None:
        self.extractor, self.missing, self.table = extractor, missing, table
        self.group = f"emotions, {extractor.group}"
        self.names = extractor.names

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure the emotions of one recording.

        Raises:
            Unmeasurable: No emotion can be summed, or the extractor has nothing to measure.
        """
        try:
            emotions = emotion_intensities(series, missing=self.missing, table=self.table)
        except ValueError as fault:
            raise Unmeasurable(f"recording {recording!r}: {fault}") from fault
        measured = self.extractor.measure(emotions.series, recording=recording)
        told = [f"{name}: {report}" for name, report in emotions.members.items() if not report.complete]
        told += [f"left out: {', '.join(emotions.left_out)}"] * bool(emotions.left_out)
        return replace(measured, notes=(*measured.notes, *told))
