"""Outlier persons, who answer least like their group: a mask that leaves them out of a training set.

Three published scripts remove in three ways: `cut="per_group"` (the figure), `cut="global"` (the threshold
study; its mixed-up rows are a mistake that is not repeated), and `rule="count"` with a global center (the
classifiers). Removal needs the answers of a person, so it can never be part of a prediction.
"""

from typing import Literal

import numpy as np
import pandas as pd

Cut = Literal["per_group", "global"]
Rule = Literal["percentile", "count"]

_TIE = 1e-9  # distances that differ by less are equal: sums of the same squares in another order


def keep(
    discrepancy: pd.DataFrame, *, share: float, cut: Cut = "per_group", rule: Rule = "percentile"
) -> "pd.Series[bool]":
    """Boolean mask of the persons to keep, on the index of `discrepancy`.

    `percentile` keeps everybody up to the `1 - share` quantile of distances (linear interpolation): who is
    equally far is treated alike, so that fewer than `share` go where many answer the same, and nobody at a
    total of 0. `count` keeps exactly the `floor(n (1 - share))` nearest, at least one; of equally far persons
    those in the earlier rows stay. Either way no group is emptied, its nearest stay, and `share=0` keeps
    everybody.

    Args:
        discrepancy: Table of `SymptomDiscrepancy.per_person`.
        share: Of persons to remove, 0 or more, below 1.
        cut: `per_group` removes from each group, `global` from all together.
        rule: How many go.

    Raises:
        ValueError: The share is none, an option is not known, or somebody has no distance.
    """
    if not 0 <= share < 1:
        raise ValueError(f"share={share}: the share to remove is 0 or more and below 1")
    if cut not in ("per_group", "global") or rule not in ("percentile", "count"):
        raise ValueError(
            f"cut={cut!r}, rule={rule!r}: choose 'per_group' or 'global', 'percentile' or 'count'"
        )
    if (lost := discrepancy["distance"].isna()).any():
        first = discrepancy[lost].iloc[0]
        raise ValueError(f"{int(lost.sum())} persons have no distance, e.g. {first.name}: {first['reason']}")
    distance = discrepancy["distance"].to_numpy(dtype=np.float64)
    _, group = np.unique(discrepancy["group"].to_numpy(dtype=np.float64), return_inverse=True)
    kept = np.ones(len(discrepancy), dtype=bool)
    if share > 0:
        members = [np.flatnonzero(group == code) for code in np.unique(group)]
        for rows in members if cut == "per_group" else [np.arange(len(group))]:
            kept[rows] = _nearest(distance[rows], share, rule)
        for rows in members:
            if not kept[rows].any():  # only a global cut empties a group
                kept[rows] = distance[rows] <= distance[rows].min() + _TIE
    return pd.Series(kept, index=discrepancy.index, name="keep")


def _nearest(distance: np.ndarray, share: float, rule: Rule) -> np.ndarray:
    if rule == "percentile":
        return np.asarray(distance <= np.quantile(distance, 1 - share) + _TIE)
    # 1e-9: 10 (1 - 0.9) is a rounding error below 1
    count = max(1, int(np.floor(len(distance) * (1 - share) + 1e-9)))
    kept = np.zeros(len(distance), dtype=bool)
    kept[np.argsort(np.round(distance / _TIE), kind="stable")[:count]] = True
    return kept
