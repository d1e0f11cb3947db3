"""The gate: which frames are used, and for what reason each other one is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocessing.quality.crop_facts import CropFacts
from preprocessing.tracking.track import Track

REASONS = ("no face", "small", "cut off", "blurred", "dark", "bright", "turned", "hidden", "jump")
"""Why a frame is not used, as the pages and tables name it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdict:
    """Which frames of a recording are used.

    Attributes:
        reasons: for each of `REASONS` the frames ``(T,)`` that it speaks against.
    """

    reasons: Mapping[str, NDArray[np.bool_]]

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Frames ``(T,)`` that nothing speaks against."""
        return np.asarray(~np.any(list(self.reasons.values()), axis=0))


class QualityGate:
    """Thresholds that a frame must pass; each is a constructor argument with its source."""

    def __call__(
        self, track: Track, facts: Sequence[CropFacts | None], seconds: NDArray[np.float64]
    ) -> Verdict:
        """Judge all frames of a recording.

        Args:
            track: The person.
            facts: Of each frame's crop ``(T)``; None where there is none.
            seconds: Times of the frames ``(T,)``.
        """
        raise NotImplementedError
