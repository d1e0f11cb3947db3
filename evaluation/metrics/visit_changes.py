"""Changes of score between visits: does the prediction follow a person from one visit to the next?

Only persons with two labeled visits whose order is known count (see `datamodules.manifests.visits`).
A visit is the mean of its recordings; a change is a visit minus the one before. Letters: `N` recordings, `C`
changes.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.visits import REMEDY, place_of_visits
from datamodules.schema import UNKNOWN
from evaluation.metrics.resampled import divide

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Changes:
    """True and predicted changes of score (C,) in points, and where they are.

    Attributes:
        rows: Which recordings (N,) stand for the changes, one of the later visit each; the changes are in
            their order. A recording is drawn with its person, so its weight is that of the change.
        target: True changes.
        prediction: Predicted changes.
        banded: Whether the severity band changed too; nowhere where bands are not known.
    """

    rows: NDArray[np.bool_]
    target: Array
    prediction: Array
    banded: NDArray[np.bool_]


def visit_changes(recordings: pd.DataFrame) -> Changes | None:
    """Changes of `score` between consecutive labeled visits; None where nobody has two."""
    columns = ["score_target", "score_prediction"] + [c for c in ("band_target",) if c in recordings]
    values = np.stack([recordings[c].to_numpy(dtype=np.float64, na_value=np.nan) for c in columns], axis=1)
    person, names = pd.factorize(recordings["subject_id"])
    visit = place_of_visits(recordings)
    counted = (person >= 0) & ~np.isnan(visit) & np.isfinite(values[:, 0])
    counted &= np.append(names != UNKNOWN, False)[person]
    if not counted.any():
        return None
    key = np.stack([person, visit], axis=1)[counted]
    visits, first, group = np.unique(key, axis=0, return_index=True, return_inverse=True)
    means = _means(values[counted], group.ravel())
    later = np.flatnonzero(visits[1:, 0] == visits[:-1, 0]) + 1
    if not later.size:
        return None
    places = np.flatnonzero(counted)[first[later]]
    order = np.argsort(places)
    steps = (means[later] - means[later - 1])[order]
    rows = np.zeros(len(recordings), dtype=np.bool_)
    rows[places] = True
    banded = steps[:, 2] != 0 if len(columns) == 3 else np.zeros(len(steps), dtype=np.bool_)
    return Changes(rows, steps[:, 0], steps[:, 1], banded & np.isfinite(steps).all(axis=1))


def order_unknown(recordings: pd.DataFrame) -> str | None:
    """Why changes cannot be measured: the order of some labeled visits is not known; None if it is."""
    table = recordings[recordings["score_target"].notna() & (recordings["subject_id"] != UNKNOWN)]
    lost = table[np.isnan(place_of_visits(table))]
    if lost.empty:
        return None
    visits = list(dict.fromkeys(lost.loc[lost["subject_id"] == lost["subject_id"].iloc[0], "session_id"]))
    return f"the order of visits such as {', '.join(map(str, visits[:3]))} is not known; {REMEDY}"


def _means(values: Array, group: NDArray[np.int_]) -> Array:
    """Mean of each column over the known values of each group, NaN where none is known."""
    known = np.isfinite(values)
    totals, counts = (
        np.stack([np.bincount(group, weights=column) for column in columns.T], axis=1).astype(np.float64)
        for columns in (np.where(known, values, 0.0), known)
    )
    return divide(totals, counts)
