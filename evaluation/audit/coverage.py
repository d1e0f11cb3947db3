"""Coverage of score intervals: the share of test recordings whose score lies inside its own interval."""

from typing import Any

import numpy as np
import pandas as pd

from evaluation.metrics import catalog
from evaluation.metrics.applicable import Measurement
from evaluation.uncertainty.confidence_intervals import estimate
from evaluation.uncertainty.jackknife import leave_out_of, left_out
from evaluation.uncertainty.prediction_intervals import COVERAGE


def coverage_measurement(recordings: pd.DataFrame) -> Measurement | None:
    """The coverage as a metric of a table: mean of `low <= score <= high`; None without score intervals."""
    if not {"low", "high", "score_target", "score_prediction"} <= set(recordings):
        return None
    table = recordings[["score_target", "low", "high"]].to_numpy(dtype=np.float64, na_value=np.nan)
    rows = np.isfinite(table).all(axis=1)
    if not rows.any():
        return None
    target, low, high = table[rows].T
    inside = ((low <= target) & (target <= high)).astype(np.float64)
    # the share of ones is the share of right decisions where every right answer is one
    return Measurement(catalog.COVERAGE.name, catalog.COVERAGE, rows, np.ones_like(inside), inside)


def coverage(recordings: pd.DataFrame) -> dict[str, Any]:
    """Coverage reached on a recording table beside the one promised, and the mean width in points.

    Args:
        recordings: recording table with `score_target` and its interval `low`, `high`.

    Returns:
        `{"promised", "reached": estimate, "width", "recordings"}`, or a `reason`.
    """
    bound = coverage_measurement(recordings)
    if bound is None:
        return {"reason": "no score with an interval was predicted"}
    reached = left_out([bound], leave_out_of(recordings))[bound.name]
    width = (recordings["high"] - recordings["low"])[bound.rows]
    return {
        "promised": COVERAGE,
        "reached": estimate(bound.name, reached),
        "width": float(width.mean()),
        "recordings": int(bound.rows.sum()),
    }
