"""Coordination of channels: eigenvalues of correlation matrices over channels and delays.

After Williamson et al. (AVEC 2014, https://doi.org/10.1145/2661806.2661809): each channel is set beside
delayed copies of itself. Where all of them move together a few eigenvalues of their correlations are large,
where each moves by itself all are near 1; levels and sizes of movements are gone. Ours are the spacings and
the number of delays. Left out are the power and entropy of the covariance, and components of the spectrum.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from biomarkers.features.extractor import Array, Measured, channel_values, with_gaps
from datamodules.series import Series

SPACINGS = (1, 3, 6, 12)  # rows between two delays
DELAYS = 6  # copies of a channel, the undelayed one included
_MIN_ROWS = 10  # our choice: embedded rows of which correlations are taken


class Coordination:
    """`coordination<spacing>_<rank>`: eigenvalues of each spacing, from the largest.

    Channels that a recording lacks, and such that never move in it, go with nothing: each of their copies
    has the eigenvalue 1.

    Args:
        channels: Names of the channels F.
        spacings: Rows between two delays.
        delays: Copies of each channel.

    Raises:
        ValueError: No channel, one named twice, or a spacing or number of delays below 1.
    """

    group = "coordination"

    def __init__(
        self, *, channels: Sequence[str], spacings: Sequence[int] = SPACINGS, delays: int = DELAYS
    ) -> None:
        if not channels or len(set(channels)) != len(channels):
            raise ValueError(f"channels {tuple(channels)} must be one or more names, each once")
        if delays < 1 or not spacings or min(spacings) < 1:
            raise ValueError(f"{delays=} and {spacings=} must be whole numbers, 1 or more")
        self.channels, self.spacings, self.delays = tuple(channels), tuple(spacings), delays
        self.names = tuple(name for spacing in self.spacings for name in self._names(spacing))

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure one recording; a spacing that it is too short for has gaps."""
        values = channel_values(series, self.channels)
        found: dict[str, float] = {}
        gaps: dict[str, str] = {}
        for spacing in self.spacings:
            names = self._names(spacing)
            embedded = delayed(values, series.valid, spacing, self.delays)
            if len(embedded) < _MIN_ROWS:
                reason = (
                    f"{len(embedded)} stretches of {1 + spacing * (self.delays - 1)} rows are valid at "
                    f"spacing {spacing}, {_MIN_ROWS} are needed"
                )
                gaps |= dict.fromkeys(names, reason)
                continue
            found |= dict(zip(names, spectrum(embedded).tolist(), strict=True))
        return with_gaps(self.names, found, gaps)

    def _names(self, spacing: int) -> list[str]:
        return [f"coordination{spacing}_{rank}" for rank in range(1, 1 + self.delays * len(self.channels))]


def delayed(values: Array, valid: NDArray[np.bool_], spacing: int, delays: int) -> Array:
    """Rows (n, F x delays) of channels and their delayed copies, of times at which all of them are valid.

    Args:
        values: Channels (T, F).
        valid: Rows that were measured (T,).
        spacing: Rows between two copies.
        delays: Copies of each channel.
    """
    starts = np.arange(max(len(values) - spacing * (delays - 1), 0))
    rows = starts[:, None] + spacing * np.arange(delays)
    rows = rows[valid[rows].all(axis=1)]
    return values[rows].transpose(0, 2, 1).reshape(len(rows), delays * values.shape[1])


def spectrum(x: Array) -> Array:
    """Eigenvalues (D,) of the correlation matrix of samples (n, D), from the largest; they sum to D.

    A column that never moves goes with no other.

    Examples:
        >>> spectrum(np.array([[1.0, 2.0, 5.0], [2.0, 4.0, 5.0], [4.0, 8.0, 5.0]])).round(6).tolist()
        [2.0, 1.0, 0.0]
    """
    moves = np.ptp(x, axis=0) > 0
    x = np.where(moves, x - x.mean(axis=0), 0.0)
    x = x / np.where(moves, np.sqrt((x * x).sum(axis=0)), 1.0)
    correlation = x.T @ x
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(np.linalg.eigvalsh(correlation)[::-1].clip(min=0.0))
