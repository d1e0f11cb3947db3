"""Strata of low and high symptom discrepancy at equal severity, for results shown side by side."""

import numpy as np
import pandas as pd

from biomarkers.symptoms.discrepancy import SymptomDiscrepancy

LOW, HIGH = "low", "high"


def discrepancy_strata(fitted: pd.DataFrame, asked: pd.DataFrame, *, scale: str) -> "pd.Series[str]":
    """`low` or `high` by the index of `asked`; empty where no distance can be told.

    A distance is that to the centroid of the severity band, and is compared with the median of the band among
    those fitted: both strata are then about equally severe. One cut for all bands would put the healthy into
    one stratum and the ill into the other, as a distance grows from 0 at a total of 0 (our choice).

    Args:
        fitted: Complete answers (N, J) of training visits.
        asked: Answers (M, J) of others.
        scale: Name of their scale.

    Raises:
        ValueError: The answers fitted cannot be compared; see `SymptomDiscrepancy.fit`.
    """
    discrepancy = SymptomDiscrepancy(grouping="severity", normalization="none", scale=scale).fit(fitted)
    median = discrepancy.per_person(fitted).groupby("group")["distance"].median()
    told = discrepancy.per_person(asked)
    cut = told["group"].map(median)
    strata = np.where(told["distance"] > cut, HIGH, LOW)
    return pd.Series(np.where((told["distance"] - cut).notna(), strata, ""), index=asked.index)
