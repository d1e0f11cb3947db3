"""Correlations of every pair of channels at several lags, over the valid rows of a recording."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from biomarkers.features.extractor import Array, Measured, channel_values, no_features, with_gaps
from biomarkers.features.timing import row_length
from datamodules.series import Series

LAGS = (0.0, 0.25, 0.5, 1.0)  # seconds; our choice
_MIN_ROWS = 10  # our choice: pairs of rows of which a correlation is taken


class CrossCorrelation:
    """`<a>_<b>_at<lag>`: Pearson's r of channel a and, `lag` seconds later, channel b.

    At lag 0 each pair stands once, else in both orders. A pair of which one never moves, or is not in the
    recording, has 0.

    Args:
        channels: Names of the channels F.
        lags: In seconds, 0 or more.

    Raises:
        ValueError: Fewer than two channels, one named twice, or a negative lag.
    """

    group = "cross_correlation"

    def __init__(self, *, channels: Sequence[str], lags: Sequence[float] = LAGS) -> None:
        if len(channels) < 2 or len(set(channels)) != len(channels):
            raise ValueError(f"channels {tuple(channels)} must be two or more names, each once")
        if not lags or min(lags) < 0:
            raise ValueError(f"lags {tuple(lags)} must be one or more, in seconds, 0 or later")
        self.channels, self.lags = tuple(channels), tuple(map(float, lags))
        self.names = tuple(name for lag in self.lags for name in self._names(lag))

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure one recording; a lag that it is too short for has gaps.

        Raises:
            Unmeasurable: It tells neither a rate nor times.
        """
        if not len(series.values):
            return no_features(self.names, "the recording has no rows")
        step = row_length(series, recording=recording)
        values = channel_values(series, self.channels)
        found: dict[str, float] = {}
        gaps: dict[str, str] = {}
        for lag in self.lags:
            first, later = lagged(values, series.valid, round(lag / step))
            if len(first) < _MIN_ROWS:
                reason = f"{len(first)} pairs of rows {lag:g} s apart are valid, {_MIN_ROWS} are needed"
                gaps |= dict.fromkeys(self._names(lag), reason)
                continue
            correlations = cross_correlation(first, later)[self._pairs(lag)]
            found |= dict(zip(self._names(lag), correlations.tolist(), strict=True))
        return with_gaps(self.names, found, gaps)

    def _pairs(self, lag: float) -> NDArray[np.bool_]:
        every = ~np.eye(len(self.channels), dtype=bool)
        return every if lag else np.triu(every)

    def _names(self, lag: float) -> list[str]:
        pairs = np.argwhere(self._pairs(lag))
        return [f"{self.channels[a]}_{self.channels[b]}_at{lag:g}" for a, b in pairs.tolist()]


def lagged(values: Array, valid: NDArray[np.bool_], rows: int) -> tuple[Array, Array]:
    """Channels (n, F) of all rows with another one `rows` later, and those later rows (n, F); valid both."""
    count = max(len(values) - rows, 0)
    both = valid[:count] & valid[rows : rows + count]
    return values[:count][both], values[rows : rows + count][both]


def cross_correlation(x: Array, y: Array) -> Array:
    """Pearson's r (F, G) of the columns of x (n, F) and y (n, G); 0 where one of the two never moves."""
    return np.asarray(_standard(x).T @ _standard(y))


def _standard(x: Array) -> Array:
    """Columns of mean 0 and length 1; those that never move are 0."""
    moves = np.ptp(x, axis=0) > 0
    x = np.where(moves, x - x.mean(axis=0), 0.0)
    return np.asarray(x / np.where(moves, np.sqrt((x * x).sum(axis=0)), 1.0))
