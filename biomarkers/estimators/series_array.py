"""Conversion of series of unequal length with gaps to one array (N, F, T) for convolutional kernels."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from datamodules.series import Series, channel_schema

Array = NDArray[np.float64]

LENGTH = 256  # our choice: 30 s at 8.5 steps/s, twice the speed of the fastest smile
MAX_GAP_S = 0.5  # our choice: longer than a blink, shorter than an expression


class SeriesPanel(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Series of unequal length to an array (N, F, T) without a gap.

    Every channel is read at `length` times, linearly between its measurements, and from the nearest one if it
    is a presence. A measurement is a finite value in a valid row. Inside a gap longer than `max_gap_s`, and
    before the first and after the last measurement, the nearest one is held. Nothing is filtered: what is
    faster than half of the new rate folds down.

    Args:
        channels: Names of the channels, in the order of the array.
        length: Steps T.
        fps: Steps per second. None spreads the steps over the recording, whatever its length. With a rate, a
            longer recording is cut at its end, a shorter one padded with each channel's mean over its steps.
        max_gap_s: Longest gap to interpolate, in seconds; None interpolates all of them.
        scaling: `training` takes mean and standard deviation of each channel over the training recordings, so
            that levels of persons remain; `recording` takes those of the recording itself, as ROCKET's own
            normalization does, so that only shapes remain; `none` keeps the units.

    Raises:
        ValueError: A recording lacks a channel or never measured it, or tells neither times nor a rate.
    """

    def __init__(
        self,
        *,
        channels: Sequence[str],
        length: int = LENGTH,
        fps: float | None = None,
        max_gap_s: float | None = MAX_GAP_S,
        scaling: Literal["training", "recording", "none"] = "training",
    ) -> None:
        self.channels = channels
        self.length = length
        self.fps = fps
        self.max_gap_s = max_gap_s
        self.scaling = scaling

    def fit(self, recordings: Sequence[Series], y: Any = None) -> Self:
        """Learn the channels' mean and standard deviation (F,) from the training recordings."""
        if self.scaling not in ("training", "recording", "none"):
            raise ValueError(f"scaling='{self.scaling}' is unknown: use 'training', 'recording' or 'none'")
        if self.length < 2:
            raise ValueError(f"length={self.length} is no series: use two steps or more")
        if self.scaling == "training":
            steps = self._read(recordings)
            self.mean_, self.std_ = steps.mean(axis=(0, 2)), _spread(steps.std(axis=(0, 2)))
        return self

    def transform(self, recordings: Sequence[Series]) -> Array:
        """Return the array (N, F, T), scaled."""
        steps = self._read(recordings)
        if self.scaling == "training":
            steps = (steps - self.mean_[:, None]) / self.std_[:, None]
        elif self.scaling == "recording":
            steps = (steps - steps.mean(axis=2, keepdims=True)) / _spread(steps.std(axis=2, keepdims=True))
        return steps

    def _read(self, recordings: Sequence[Series]) -> Array:
        if not len(recordings):
            raise ValueError("no recordings: a panel needs one or more")
        steps = np.empty((len(recordings), len(self.channels), self.length))
        for row, series in enumerate(recordings):
            missing = [name for name in self.channels if name not in series.channels]
            if missing:
                raise ValueError(
                    f"recording {row} has no channel '{missing[0]}': name channels that every recording has"
                )
            if not len(series.valid):
                raise ValueError(f"recording {row} has no rows: leave it out of the manifest")
            seconds = self._seconds(series, row)
            step = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
            # the distance of two measurements is the gap and one step; half a step is for rounded times
            limit = np.inf if self.max_gap_s is None else self.max_gap_s + 1.5 * step
            times, inside = self._times(seconds)
            for column, name in enumerate(self.channels):
                measured, values = _measurements(series, seconds, name, row)
                read = _bridged(times[inside], measured, values, limit, channel_schema.is_presence(name))
                steps[row, column] = read.mean()
                steps[row, column, inside] = read
        return steps

    def _seconds(self, series: Series, row: int) -> Array:
        if series.seconds is not None:
            return np.asarray(series.seconds, dtype=np.float64)
        if series.fps is not None:
            return np.arange(len(series.valid)) / series.fps
        if self.fps is None and self.max_gap_s is None:
            return np.arange(len(series.valid), dtype=np.float64)
        raise ValueError(
            f"recording {row} tells neither times nor a rate: "
            "give its fps, or set fps=None and max_gap_s=None"
        )

    def _times(self, seconds: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Times of the steps (T,), and which of them lie in the recording."""
        if self.fps is None:
            return np.linspace(seconds[0], seconds[-1], self.length), np.ones(self.length, dtype=bool)
        times = seconds[0] + np.arange(self.length) / self.fps
        return times, times <= seconds[-1] + 0.5 / self.fps


def _measurements(series: Series, seconds: Array, name: str, row: int) -> tuple[Array, Array]:
    """Times and values of one channel's measurements."""
    values = series.values[:, series.channels.index(name)].astype(np.float64)
    known = series.valid & np.isfinite(values)
    if not known.any():
        raise ValueError(
            f"channel '{name}' of recording {row} has no measurement in {len(values)} rows: "
            "leave the recording out of the manifest, or the channel"
        )
    return seconds[known], values[known]


def _bridged(times: Array, measured: Array, values: Array, limit: float, presence: bool) -> Array:
    """Values at `times`: linear between measurements at most `limit` apart, else the nearest one."""
    right = np.searchsorted(measured, times).clip(0, len(measured) - 1)
    left = (right - 1).clip(0)
    nearest: Array = values[np.where(times - measured[left] <= measured[right] - times, left, right)]
    if presence:
        return nearest
    linear: Array = np.interp(times, measured, values)
    close = measured[right] - measured[left] <= limit
    return np.asarray(np.where(close, linear, nearest))


def _spread(std: Array) -> Array:
    """A channel that never moves is left at zero instead of divided by it."""
    return np.asarray(np.where(std > 1e-9, std, 1.0))
