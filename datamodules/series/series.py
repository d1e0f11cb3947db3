"""The `Series` record that every feature file is read into."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class UnreadableSeries(ValueError):
    """A series file that is missing, damaged or not the table it should be."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """`values` float32 (T, F) in the units of `channel_schema`, 0 where `valid` bool (T,) is False.

    `fps` in rows/s and `seconds` float64 (T,), the time of every row, are None where nothing tells them.
    `notes` are remarks of the reader that a person should see, each with the name of the file.
    """

    values: np.ndarray
    channels: tuple[str, ...]
    valid: np.ndarray
    fps: float | None
    seconds: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def column(series: Series, name: str) -> NDArray[np.float64] | None:
    """Channel (T,) float64, or None where the series lacks it."""
    if name not in series.channels:
        return None
    return np.asarray(series.values[:, series.channels.index(name)], dtype=np.float64)
