"""Whether the score ranks persons better than the class head whose AUC is reported."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from evaluation.metrics.definitions import auc
from evaluation.tables.predictions import predicted_items

_APART = 0.05  # AUC: our choice of what is worth a remark


def ranked_by_heads(validation: pd.DataFrame) -> dict[str, float] | None:
    """AUC of the class on validation, by what ranks the recordings: `binary` and `score`.

    Args:
        validation: Recording table.

    Returns:
        None where one of both heads, or one class, is missing, and where answers to items are predicted: of
        those both are made, and neither is a head of its own.

    Examples:
        >>> table = pd.DataFrame({"binary_target": [0, 0, 1], "binary_prediction": [0.2, 0.6, 0.4]})
        >>> ranked_by_heads(table.assign(score_prediction=[3.0, 9.0, 20.0]))
        {'binary': 0.5, 'score': 1.0}
    """
    heads = ("binary", "score")
    if not {"binary_target", *(f"{head}_prediction" for head in heads)} <= set(validation):
        return None
    if predicted_items(validation):
        return None
    known = validation[validation["binary_target"].notna()]
    target = known["binary_target"].to_numpy(np.float64)
    found = {head: auc(target, known[f"{head}_prediction"].to_numpy(np.float64)).value for head in heads}
    defined = {head: value for head, value in found.items() if value is not None}
    return defined if len(defined) == len(heads) else None


def heads_apart(found: Mapping[str, Any] | None) -> str | None:
    """The remark where the score ranks clearly better; None elsewhere.

    Args:
        found: Of `ranked_by_heads`.
    """
    if not found or found["score"] - found["binary"] <= _APART:
        return None
    return (
        f"On validation the predicted score ranks persons better (AUC {found['score']:.2f}) than the class "
        f"head ({found['binary']:.2f}), of which AUC, decisions and the comparison with other lines are: the "
        "class head has hardly been trained. Train for more epochs or at a higher rate, or judge this run by "
        "its score (MAE, CCC)."
    )
