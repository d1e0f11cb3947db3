"""Emotion intensities over time, as sums of the intensities of action units.

Parikh, Sadeghi & Eskofier (arXiv 2407.13753), table II. Their file format, OpenFace's, has no intensity of
AU16 and AU28, members of disgust and fear; how they summed without them is not told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from biomarkers.features.extractor import Extractor, Measured, Unmeasurable
from datamodules.series import Series
from datamodules.series.channel_schema import au

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


@dataclass(frozen=True, kw_only=True)
class Availability:
    """Names of the wanted action units whose intensity was measured, and of those that are missing."""

    found: tuple[str, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        lacking = f"; missing {', '.join(self.missing)}" if self.missing else ""
        return f"found {', '.join(self.found) or 'none'}{lacking}"


def available(series: Series, units: Sequence[int]) -> Availability:
    """Which units, given by number, the series holds as intensities."""
    names = [au(unit) for unit in units]
    return Availability(
        found=tuple(name for name in names if name in series.channels),
        missing=tuple(name for name in names if name not in series.channels),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Emotions:
    """Emotion intensities as channels of `series`, the `members` of each sum, emotions without a sum."""

    series: Series
    members: Mapping[str, Availability]
    left_out: tuple[str, ...]


def emotion_intensities(
    series: Series, *, missing: Missing, table: Mapping[str, Sequence[int]] = EMOTIONS
) -> Emotions:
    """Sum the intensities of the members of each emotion, frame by frame; n members sum to 0-5n.

    Args:
        series: With intensities of action units.
        missing: Sum the members that are there, or leave out an emotion that lacks one. One that lacks all is
            left out in either case.
        table: Numbers of the units of each emotion.

    Raises:
        ValueError: No emotion is left.
    """
    members = {name: available(series, units) for name, units in table.items()}
    kept = [
        name
        for name, report in members.items()
        if report.found and (missing == "sum_available" or not report.missing)
    ]
    if not kept:
        raise ValueError(f"no emotion can be summed ({'; '.join(f'{n}: {r}' for n, r in members.items())})")
    columns = [[series.channels.index(unit) for unit in members[name].found] for name in kept]
    sums = np.stack([series.values[:, own].sum(axis=1) for own in columns], axis=1)
    return Emotions(
        series=replace(series, values=sums.astype(np.float32), channels=tuple(kept)),
        members=members,
        left_out=tuple(name for name in table if name not in kept),
    )


class EmotionFeatures:
    """Features of emotions instead of channels; notes say which members a sum lacks.

    Args:
        extractor: Whose channels are emotions.
        missing: As in `emotion_intensities`.
        table: As in `emotion_intensities`.
    """

    def __init__(
        self, *, extractor: Extractor, missing: Missing, table: Mapping[str, Sequence[int]] = EMOTIONS
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
        told = [f"{name}: {report}" for name, report in emotions.members.items() if report.missing]
        told += [f"left out: {', '.join(emotions.left_out)}"] * bool(emotions.left_out)
        return replace(measured, notes=(*measured.notes, *told))
