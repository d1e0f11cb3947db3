"""Depression scales: range, severity bands, and the threshold of the binary label.

The 1961 BDI and BDI-IA have the range of the BDI-II but other bands; they are not in this table on purpose.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Scale:
    """One depression scale; bands are given by their upper-inclusive edges, the last edge is the maximum.

    Examples:
        >>> SCALES["BDI-II"].band(14), SCALES["BDI-II"].binary(13)
        (1, 0)
    """

    name: str
    bands: tuple[int, ...]
    band_names: tuple[str, ...]
    binary_threshold: int
    low: int = 0
    doubled: bool = False

    @property
    def high(self) -> int:
        """The highest total."""
        return self.bands[-1]

    def check(self, score: float) -> None:
        """Refuse a total that this scale cannot produce.

        Raises:
            ValueError: The score is not finite, no whole number, out of range, or odd on a scale whose totals
                are doubled.
        """
        self._check_range(score)
        if score % 1:
            raise ValueError(
                f"{score:g} cannot be a {self.name} total: totals are sums of whole numbers; "
                "write the sum of the answers, or leave it empty"
            )
        if self.doubled and score % 2:
            raise ValueError(
                f"{score:g} cannot be a {self.name} total: totals are doubled sums, thus even; "
                "multiply the raw sum of the seven items by 2"
            )

    def band(self, score: float) -> int:
        """Severity band of a total, counted from 0; a fraction belongs to the whole score below it.

        Raises:
            ValueError: As in `check`, but an odd total is accepted (predictions are not sums of items).
        """
        self._check_range(score)
        return sum(math.floor(score) > edge for edge in self.bands[:-1])

    def binary(self, score: float) -> int:
        """Return 1 where the total reaches the threshold of the scale, else 0."""
        return int(score >= self.binary_threshold)

    def _check_range(self, score: float) -> None:
        if not self.low <= score <= self.high:  # nor is NaN within
            raise ValueError(f"{score:g} is outside {self.name} ({self.low} to {self.high})")


_PHQ = ("minimal", "mild", "moderate", "moderately severe", "severe")  # Kroenke et al. 2001
_PHQ_THRESHOLD = 10  # Kroenke et al. 2001 and 2009: best cut-off for major depression
_DASS = ("normal", "mild", "moderate", "severe", "extremely severe")  # Lovibond & Lovibond 1995
_DASS_BANDS = {"D": (9, 13, 20, 27, 42), "A": (7, 9, 14, 19, 42), "S": (14, 18, 25, 33, 42)}  # likewise

_TABLE = (
    Scale(
        name="BDI-II",  # Beck, Steer & Brown 1996
        bands=(13, 19, 28, 63),
        band_names=("minimal", "mild", "moderate", "severe"),
        binary_threshold=14,  # above the minimal band
    ),
    Scale(name="PHQ-8", bands=(4, 9, 14, 19, 24), band_names=_PHQ, binary_threshold=_PHQ_THRESHOLD),
    Scale(name="PHQ-9", bands=(4, 9, 14, 19, 27), band_names=_PHQ, binary_threshold=_PHQ_THRESHOLD),
    Scale(
        name="HAMD-17",  # the bands in clinical use; Zimmerman 2013 proposes 7, 16, 23
        bands=(7, 13, 18, 22, 52),
        band_names=("normal", "mild", "moderate", "severe", "very severe"),
        binary_threshold=8,  # above the normal band
    ),
    *(
        Scale(
            name=f"DASS-21-{letter}",
            bands=bands,
            band_names=_DASS,
            binary_threshold=bands[0] + 1,  # above the normal band: our choice, the authors give bands only
            doubled=True,
        )
        for letter, bands in _DASS_BANDS.items()
    ),
)

SCALES: Mapping[str, Scale] = MappingProxyType({scale.name: scale for scale in _TABLE})
