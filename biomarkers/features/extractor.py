"""The interface of feature extractors: fixed names, a number for each, a reason for every missing one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from datamodules.series import Series

Array = NDArray[np.float64]


MIN_FRAMES = 30  # our choice: a second of video; kurtosis alone needs four frames


class Unmeasurable(ValueError):
    """A whole group of features, or a phase, cannot be measured in a recording."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Features of one recording.

    Attributes:
        values: Number of every feature; NaN where it has none.
        gaps: Why a feature is NaN, for each that is.
        notes: What readers of the numbers must know, such as a sum that lacks a member.
    """

    values: Mapping[str, float]
    gaps: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def with_gaps(names: Sequence[str], found: Mapping[str, float], gaps: Mapping[str, str]) -> Measured:
    """All names in their order, NaN for those that were not found."""
    return Measured(values={name: found.get(name, np.nan) for name in names}, gaps=gaps)


def no_features(names: Sequence[str], reason: str) -> Measured:
    """All names NaN, for one reason."""
    return with_gaps(names, {}, dict.fromkeys(names, reason))


class Extractor(Protocol):
    """A group of features; `names` are known before any recording is read, so no table depends on one."""

    @property
    def group(self) -> str:
        """Name of the group, for reports."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order of the table."""

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure one recording.

        Args:
            series: Its series.
            recording: Its id, for messages.

        Raises:
            Unmeasurable: None of the features can be measured.
        """


def require_valid(series: Series, *, recording: str, at_least: int = MIN_FRAMES) -> None:
    """Stop at a recording with too few valid frames to be summarized.

    Raises:
        Unmeasurable: It has fewer than `at_least`.
    """
    count = int(series.valid.sum())
    if count < at_least:
        raise Unmeasurable(
            f"recording {recording!r}: {count} of {len(series.valid)} frames are valid, {at_least} are "
            "needed; extract it again or leave it out"
        )


def channel_values(series: Series, channels: Sequence[str]) -> NDArray[np.float64]:
    """The named channels in this order (T, C); one that the series lacks rests at 0 and moves with none."""
    values = np.zeros((len(series.values), len(channels)))
    for place, name in enumerate(channels):
        if name in series.channels:
            values[:, place] = series.values[:, series.channels.index(name)]
    return values
