"""Calibration: how often the predicted probability comes true, bin by bin."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from evaluation.metrics.definitions import check_pair

MAX_BINS = 8
MIN_PER_BIN = 10  # our choice: fewer recordings say nothing about a frequency


def reliability(target: ArrayLike, probability: ArrayLike) -> pd.DataFrame:
    """Reliability table with bins of about equal count (as in the plot; `definitions.ece` uses equal widths).

    Args:
        target: 0 or 1 (N,).
        probability: predicted probability (N,).

    Returns:
        One row per bin: `lower, upper` (probabilities held), `count`, `predicted` (mean), `observed`
        (frequency) and its Wilson 95 % interval `low, high`, which treats recordings as independent.
    """
    y, p = check_pair(target, probability)
    bins = int(np.clip(y.size // MIN_PER_BIN, 1, MAX_BINS))
    # bins of equal count: bins of equal width would be empty where the model never predicts
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)))
    # equal probabilities share a bin, so a model that says one thing only gives one bin
    codes = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, max(0, edges.size - 2))
    rows = []
    for code in np.unique(codes):
        inside = codes == code
        hits, count = int(y[inside].sum()), int(inside.sum())
        # Wilson's interval stays inside 0 to 1 and has a width where all or none came true
        wilson = binomtest(hits, count).proportion_ci(method="wilson")
        held = p[inside]
        rows.append((held.min(), held.max(), count, held.mean(), hits / count, wilson.low, wilson.high))
    return pd.DataFrame(rows, columns=["lower", "upper", "count", "predicted", "observed", "low", "high"])
