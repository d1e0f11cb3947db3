"""Depression probe: how well a linear model reads depression from a feature, on test persons.

Asked of the personality feature: what it knows of severity is what suppression may take away with the habit.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.schema import IDS
from evaluation.baselines.linear_probe import linear_reading, penalty_folds
from evaluation.uncertainty.table_estimates import estimates

Array = NDArray[np.float64]

_SHOWN = {"binary": ("auc",), "score": ("pearson", "mae")}


def probe_depression(
    train_features: Mapping[str, Array],
    train: pd.DataFrame,
    test_features: Mapping[str, Array],
    test: pd.DataFrame,
) -> dict[str, dict[str, Any]]:
    """Return AUC, Pearson r and MAE of a linear reading of each feature, with intervals over test persons.

    Args:
        train_features: name -> (n,D), one row a training recording.
        train: their recording table: ids and `score_target`, `binary_target` where known.
        test_features: name -> (N,D), one row a test recording.
        test: their recording table.

    Returns:
        name -> metric -> estimate; a target that training persons cannot teach is left out with its `reason`.
    """
    return {name: _read(train_features[name], train, values, test) for name, values in test_features.items()}


def _read(x: Array, train: pd.DataFrame, asked: Array, test: pd.DataFrame) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for head, shown in _SHOWN.items():
        target = f"{head}_target"
        if target not in train or target not in test or test[target].isna().all():
            continue
        known = train[target].notna().to_numpy()
        y, persons = train[target].to_numpy(dtype=np.float64)[known], train["subject_id"][known]
        if np.unique(y).size < 2 or persons.nunique() < 2:
            out[head] = {"reason": f"the training persons show one {head} only"}
            continue
        if not penalty_folds(head, y, persons):  # type: ignore[arg-type]
            out[head] = {"reason": f"too few training persons for a linear model of {head}"}
            continue
        reading = linear_reading(head, x[known], y, persons, asked)  # type: ignore[arg-type]
        table = test[[*IDS, target]].assign(**{f"{head}_prediction": reading})
        found = estimates([table])
        out |= {metric: found[metric] for metric in shown}
    return out
