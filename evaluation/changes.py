"""Change between visits: does the prediction follow a person from one visit to the next?

Only persons with two labeled visits whose order is known count (see `datamodules.visits`). A visit is the
mean of its recordings; a change is a visit minus the one before. Letters: `N` recordings, `C`
changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.visits import COLUMN, REMEDY, place_of_visits
from evaluation.identity import UNKNOWN

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
    order = [COLUMN] if COLUMN in recordings else []
    table = recordings[["subject_id", "session_id", *order, *columns]].reset_index(drop=True)
    table = table[table["score_target"].notna() & (table["subject_id"] != UNKNOWN)]
    found = sorted(_pairs(table, columns), key=lambda change: change[0])
    if not found:
        return None
    rows = np.zeros(len(recordings), dtype=np.bool_)
    rows[[row for row, _ in found]] = True
    steps = np.array([step for _, step in found])
    banded = steps[:, 2] != 0 if steps.shape[1] == 3 else np.zeros(len(found), dtype=np.bool_)
    return Changes(rows, steps[:, 0], steps[:, 1], banded & np.isfinite(steps).all(axis=1))


def order_unknown(recordings: pd.DataFrame) -> str | None:
    """Why changes cannot be measured: the order of some labeled visits is not known; None if it is."""
    table = recordings[recordings["score_target"].notna() & (recordings["subject_id"] != UNKNOWN)]
    lost = table[np.isnan(place_of_visits(table))]
    if lost.empty:
        return None
    visits = list(dict.fromkeys(lost.loc[lost["subject_id"] == lost["subject_id"].iloc[0], "session_id"]))
    return f"the order of visits such as {', '.join(map(str, visits[:3]))} is not known; {REMEDY}"


def _pairs(table: pd.DataFrame, columns: list[str]) -> Iterator[tuple[int, Array]]:
    """Row of a later visit's first recording, and what changed since the visit before."""
    place = pd.Series(place_of_visits(table), index=table.index)
    for _, person in table.groupby("subject_id", sort=True):
        visits = {str(name): own for name, own in person.groupby("session_id")}
        places = dict(zip(person["session_id"].astype(str), place[person.index], strict=True))
        names = sorted(visits, key=places.__getitem__)
        means = [visits[name][columns].mean().to_numpy(dtype=np.float64) for name in names]
        for earlier, later, name in zip(means, means[1:], names[1:], strict=False):
            yield int(visits[name].index[0]), later - earlier
