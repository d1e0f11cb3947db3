"""Twelve summary statistics of every channel over the valid frames of a recording.

The twelve are those of the feature tables of Faces of the Mind (github.com/njnklab/FACES), whose definitions
follow no text. Ours are those of pandas (our choice): `std` and `var` divide by n - 1, quartiles interpolate
linearly, `skew` and `kurtosis` are the bias-corrected G1 and G2 of Joanes & Gill (1998), the second an excess
over the normal distribution.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from biomarkers.features.extractor import MIN_FRAMES, Array, Measured, require_valid, with_gaps
from datamodules.series import Series

STATISTICS = (
    "mean", "median", "max", "min", "std", "var", "range", "q25", "q75", "iqr", "skew", "kurtosis",
)  # fmt: skip
_SHAPES = ("skew", "kurtosis")


class SummaryStatistics:
    """`<channel>_<statistic>` of some channels, channel by channel, in the units of the channel.

    Args:
        channels: Names of the channels; a recording that lacks one has gaps there.
        min_frames: Valid frames that a recording needs.

    Raises:
        ValueError: There are no channels, or one is named twice.
    """

    group = "statistics"

    def __init__(self, *, channels: Sequence[str], min_frames: int = MIN_FRAMES) -> None:
        if not channels or len(set(channels)) != len(channels):
            raise ValueError(f"channels {tuple(channels)} must be one or more names, each once")
        if min_frames < 4:
            raise ValueError(f"min_frames={min_frames}: kurtosis needs 4 or more")
        self.channels, self.min_frames = tuple(channels), min_frames
        self.names = tuple(f"{channel}_{name}" for channel in self.channels for name in STATISTICS)

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Summarize one recording; a channel that never moves has neither skew nor kurtosis.

        Raises:
            Unmeasurable: It has fewer valid frames than `min_frames`.
        """
        require_valid(series, at_least=self.min_frames, recording=recording)
        kept = [channel for channel in self.channels if channel in series.channels]
        x = series.values[series.valid][:, [series.channels.index(channel) for channel in kept]]
        summary = dict(zip(kept, summarize(x.astype(np.float64)).T.tolist(), strict=True))
        found: dict[str, float] = {}
        gaps: dict[str, str] = {}
        for channel in self.channels:
            names = [f"{channel}_{name}" for name in STATISTICS]
            if channel not in summary:
                gaps |= dict.fromkeys(names, f"no channel {channel!r}")
                continue
            found |= dict(zip(names, summary[channel], strict=True))
            if np.isnan(summary[channel]).any():
                gaps |= {f"{channel}_{name}": f"{channel!r} is constant" for name in _SHAPES}
        return with_gaps(self.names, found, gaps)


def summarize(x: Array) -> Array:
    """The twelve statistics (12, C) of samples (n, C), n >= 4; skew and kurtosis of a constant are NaN.

    Examples:
        >>> summarize(np.array([[1.0], [2.0], [3.0], [6.0]]))[:3].ravel().tolist()
        [3.0, 2.5, 6.0]
    """
    low, q25, median, q75, high = np.quantile(x, [0, 0.25, 0.5, 0.75, 1], axis=0)
    moves = low < high
    std = np.where(moves, np.std(x, axis=0, ddof=1), 0.0)  # of a constant, rounding leaves a trace
    skew, kurtosis = np.full((2, x.shape[1]), np.nan)
    if moves.any():
        # Standard scores, because of a small spread around a large mean scipy would lose the digits.
        scores = (x[:, moves] - x[:, moves].mean(axis=0)) / std[moves]
        skew[moves], kurtosis[moves] = stats.skew(scores, bias=False), stats.kurtosis(scores, bias=False)
    return np.stack(
        [x.mean(axis=0), median, high, low, std, std**2, high - low, q25, q75, q75 - q25, skew, kurtosis]
    )
