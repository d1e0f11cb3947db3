"""Resampling of series to another rate, and bridging of short gaps."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from datamodules.series import channel_schema
from datamodules.series.series import Series

_ROUNDING = 1e-3  # extractors round times to a millisecond


def resample(series: Series, *, fps: float | None, max_gap_s: float) -> Series:
    """Resample a series to another rate: linear between measurements, nearest for presences.

    A gap is the time that rows without a measurement fill. Gaps of up to `max_gap_s` are bridged; inside
    longer ones, and before the first and after the last measurement, rows stay invalid. A time within half a
    step of a measurement is covered by it. Nothing is filtered: what is faster than half of the new rate
    folds down.

    Args:
        series: With known times (T,) and rate.
        fps: Rows per second of the result; None keeps the rows and only bridges gaps.
        max_gap_s: Longest gap to bridge, in seconds.

    Raises:
        ValueError: The series has no times.
    """
    if series.seconds is None or series.fps is None:
        raise ValueError("this series tells neither times nor a rate")
    seconds = times = series.seconds
    if fps is not None:
        count = int(np.floor((seconds[-1] - seconds[0] + _ROUNDING) * fps)) + 1
        times = seconds[0] + np.arange(count) / fps
    values, valid = at_times(series, times, max_gap_s=max_gap_s)
    return replace(series, values=values, valid=valid, fps=fps or series.fps, seconds=times, notes=())


def at_times(
    series: Series, times: NDArray[np.float64], *, max_gap_s: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values float32 (N, F) and valid bool (N,) of a series at some times, as `resample` has them.

    Of a series whose values are mapped, only the rows around these times are read.

    Args:
        series: With known times (T,) and rate.
        times: Seconds (N,).
        max_gap_s: Longest gap to bridge, in seconds.

    Raises:
        ValueError: The series has no times.
    """
    if series.seconds is None or series.fps is None:
        raise ValueError("this series tells neither times nor a rate")
    if not series.valid.any():
        nothing = np.zeros((len(times), series.values.shape[1]), dtype=np.float32)
        return nothing, np.zeros(len(times), dtype=bool)
    step, rows = 1 / series.fps, np.flatnonzero(series.valid)
    measured = series.seconds[rows]
    right = np.searchsorted(measured, times).clip(1, max(len(measured) - 1, 1))
    left, right = right - 1, np.minimum(right, len(measured) - 1)
    width = measured[right] - measured[left]
    share = ((times - measured[left]) / np.where(width > 0, width, 1)).clip(0, 1)
    inside = (times >= measured[0]) & (times <= measured[-1])
    bridged = inside & (width - step <= max_gap_s + step / 2)
    nearest = np.where(share > 0.5, right, left)
    covered = np.abs(times - measured[nearest]) <= step / 2
    share = np.where(bridged, share, nearest != left)[:, None]  # the edge of a long gap keeps its own value
    values = series.values[rows[left]] * (1 - share) + series.values[rows[right]] * share
    presence = _presences(series.channels)
    if len(presence):
        values[:, presence] = series.values[rows[nearest]][:, presence]
    valid = bridged | covered
    return np.where(valid[:, None], values, 0).astype(np.float32), valid


@lru_cache(maxsize=256)
def _presences(channels: tuple[str, ...]) -> NDArray[np.int64]:
    """Places of channels that are there or not, with nothing in between."""
    return np.flatnonzero([channel_schema.is_presence(name) for name in channels])
