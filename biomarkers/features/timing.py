"""Time of every row of a series, from its own times or from its rate."""

import numpy as np

from biomarkers.features.extractor import Array, Unmeasurable
from datamodules.series import Series


def row_seconds(series: Series, *, recording: str) -> Array:
    """Time of every row (T,) in seconds.

    Raises:
        Unmeasurable: The series tells neither times nor a rate.
    """
    if series.seconds is not None:
        return np.asarray(series.seconds, dtype=np.float64)
    if series.fps is None:
        raise Unmeasurable(
            f"recording {recording!r} tells neither times nor a frame rate; fill 'fps' in its manifest"
        )
    return np.arange(len(series.values)) / series.fps


def row_length(series: Series, *, recording: str) -> float:
    """Seconds that a row stands for: one over the rate, or the median step where no rate is told.

    Raises:
        Unmeasurable: The series tells neither a rate nor the times of two rows.
    """
    if series.fps is not None:
        return 1 / series.fps
    seconds = row_seconds(series, recording=recording)
    if len(seconds) < 2:
        raise Unmeasurable(f"recording {recording!r}: one row without a frame rate has no length in time")
    return float(np.median(np.diff(seconds)))
