"""The decision threshold, chosen on validation and applied to the test split."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import roc_curve

from evaluation.metrics.applicable import labeled, ranking_column
from evaluation.metrics.definitions import check_pair

CRITERION = "maximal unweighted average recall"  # Youden's J = 2 UAR - 1 has the same maximum


@dataclass(frozen=True)
class Threshold:
    """A threshold and how it was chosen; a prediction at or above `value` decides for "positive".

    `value` is `None`, with a `reason`, where validation could not decide. `uar` is the one reached on the
    choosing split, which is optimistic for that split.
    """

    value: float | None = None
    column: str | None = None
    split: str = "val"
    recordings: int = 0
    uar: float | None = None
    criterion: str = CRITERION
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON and for the report."""
        return asdict(self)


def best_cut(target: ArrayLike, prediction: ArrayLike) -> tuple[float, float]:
    """Cut with maximal unweighted average recall, and that recall.

    A cut lies midway between two neighboring predictions; of several equally good cuts the middle one is
    taken.

    Raises:
        ValueError: the targets hold one class only.
    """
    y, p = check_pair(target, prediction)
    if np.ptp(y) == 0:
        raise ValueError("a threshold needs both classes among the targets")
    alarms, hits, cuts = roc_curve(y, p, drop_intermediate=False)
    recall = (hits + 1 - alarms) / 2
    best = np.flatnonzero(np.isclose(recall, recall.max()))
    chosen = int(best[len(best) // 2])
    values = np.unique(p)
    if chosen == 0:  # above every prediction: nothing is positive
        return float(np.nextafter(values[-1], np.inf)), float(recall[chosen])
    below = values[values < cuts[chosen]]
    cut = (float(cuts[chosen]) + float(below[-1])) / 2 if below.size else float(cuts[chosen])
    return cut, float(recall[chosen])


def choose_threshold(validation: pd.DataFrame) -> Threshold:
    """Choose the threshold of the ranking prediction (probability, else score) on a validation table.

    Args:
        validation: recording table of the split that chooses; never the test split.
    """
    column = ranking_column(validation)
    if column is None:
        return Threshold(reason="val has no binary target")
    rows = labeled(validation, "binary_target")
    if rows["binary_target"].nunique() < 2:
        return Threshold(column=column, recordings=len(rows), reason="val holds one class only")
    value, uar = best_cut(rows["binary_target"], rows[column])
    return Threshold(value=value, column=column, recordings=len(rows), uar=uar)
