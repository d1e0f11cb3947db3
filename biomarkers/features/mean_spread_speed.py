"""Mean, spread and speed of every channel: what a linear reader needs to see levels, sizes and rates."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from biomarkers.features.extractor import Array, Measured, with_gaps
from datamodules.series import Series

STATISTICS = ("mean", "spread", "speed")


class MeanSpreadSpeed:
    """`<channel>_mean`, `_spread` (n in the denominator) and `_speed`, the mean absolute step of a row.

    Steps are taken between neighboring valid rows. A recording without any has the speed 0.

    Args:
        channels: Names of the channels F; a recording that lacks one has gaps there.

    Raises:
        ValueError: No channel, or one named twice.
    """

    group = "mean_spread_speed"

    def __init__(self, *, channels: Sequence[str]) -> None:
        if not channels or len(set(channels)) != len(channels):
            raise ValueError(f"channels {tuple(channels)} must be one or more names, each once")
        self.channels = tuple(channels)
        self.names = tuple(f"{channel}_{name}" for name in STATISTICS for channel in self.channels)

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure one recording; without a valid row it has gaps."""
        if not series.valid.any():
            return with_gaps(self.names, {}, dict.fromkeys(self.names, "no row is valid"))
        summary = mean_spread_speed(series.values.astype(np.float64), series.valid)
        found: dict[str, float] = {}
        gaps: dict[str, str] = {}
        for name, row in zip(STATISTICS, summary, strict=True):
            for channel in self.channels:
                if channel in series.channels:
                    found[f"{channel}_{name}"] = float(row[series.channels.index(channel)])
                else:
                    gaps[f"{channel}_{name}"] = f"no channel {channel!r}"
        return with_gaps(self.names, found, gaps)


def mean_spread_speed(values: Array, valid: NDArray[np.bool_]) -> Array:
    """The three statistics (3, F) of channels (T, F) over the valid rows (T,), of which there is one."""
    x = values[valid]
    steps = np.abs(np.diff(values, axis=0))[valid[1:] & valid[:-1]]
    speed = steps.mean(axis=0) if len(steps) else np.zeros(values.shape[1])
    return np.stack([x.mean(axis=0), np.where(np.ptp(x, axis=0) > 0, x.std(axis=0), 0.0), speed])
