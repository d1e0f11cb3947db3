r"""Noise of a questionnaire: how far totals of a person lie apart whose severity is the same.

Where the answers to single items are known, coefficient alpha (Cronbach 1951) of the *changes* of the answers
between visits says how much of the change of a total is noise. With J items whose changes have the
covariances S,

    \sigma^2 = (1 - \alpha) \sum S / 2 = (tr S - (\sum S - tr S) / (J - 1)) / 2

is the error variance of one total: what belongs to the person, such as a pattern of symptoms, cancels in
changes (our choice; alpha of single visits would count that as noise). Where totals alone are known, the
error variance is (1 - r) times the variance of the totals, with a published reliability r (Jacobson and Truax
1991).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from datamodules.manifests.visits import place_of_visits
from datamodules.schema import UNKNOWN

Array = NDArray[np.float64]

RELIABILITY: Mapping[str, float] = MappingProxyType(
    {
        "BDI-II": 0.92,  # alpha among outpatients, Beck, Steer and Brown 1996
        "PHQ-9": 0.89,  # alpha in primary care, Kroenke, Spitzer and Williams 2001
        "HAMD-17": 0.79,  # alpha, meta-analysis of Trajkovic et al. 2011
        "DASS-21-D": 0.94,  # alpha, Antony et al. 1998
        "DASS-21-A": 0.87,  # likewise
        "DASS-21-S": 0.91,  # likewise
    }
)
"""Published reliability of a total by the name of its scale; of others we know none."""


def noise_of_items(table: pd.DataFrame, items: Sequence[str], *, doubled: bool = False) -> float | None:
    """Error variance of one total, in squared points; None where no person has two complete visits.

    Args:
        table: `subject_id`, `session_id`, perhaps `visit_order`, and the items, a row a recording.
        items: columns (J,) of the items of the total, at least two.
        doubled: whether the total is twice the sum of its items.
    """
    known = table[(table["subject_id"] != UNKNOWN) & table[list(items)].notna().all(axis=1)]
    known = known.assign(place=place_of_visits(known)).dropna(subset=["place"])
    visits = known.groupby(["subject_id", "place"], sort=True)[list(items)].mean()
    steps = visits.groupby(level="subject_id").diff().dropna().to_numpy(dtype=np.float64)
    if len(steps) < 2:
        return None
    moments = steps.T @ steps / len(steps)
    own, total = float(np.trace(moments)), float(moments.sum())
    variance = max(own - (total - own) / (len(items) - 1), 0.0) / 2
    return 4 * variance if doubled else variance


def noise_of_totals(scores: ArrayLike, scale: str) -> float | None:
    """Error variance of one total from a published reliability; None where none is known for the scale.

    Args:
        scores: totals (N,) of persons like those that are tested; NaN where unknown.
        scale: name of the questionnaire.
    """
    values = np.asarray(scores, dtype=np.float64)
    values = values[np.isfinite(values)]
    if scale not in RELIABILITY or len(values) < 2:
        return None
    return float((1 - RELIABILITY[scale]) * values.var(ddof=1))
