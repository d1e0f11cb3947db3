"""Change between visits: does the prediction follow a person from one visit to the next?

Only persons with two labeled visits count. A visit is the mean of its recordings; visits are ordered by
`session_id`, numbers in it by value; a change is a visit minus the one before. Letters: `N` recordings, `C`
changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.identity import UNKNOWN, natural_key

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
    table = recordings[["subject_id", "session_id", *columns]].reset_index(drop=True)
    table = table[table["score_target"].notna() & (table["subject_id"] != UNKNOWN)]
    found = sorted(_pairs(table, columns), key=lambda change: change[0])
    if not found:
        return None
    rows = np.zeros(len(recordings), dtype=np.bool_)
    rows[[row for row, _ in found]] = True
    steps = np.array([step for _, step in found])
    banded = steps[:, 2] != 0 if steps.shape[1] == 3 else np.zeros(len(found), dtype=np.bool_)
    return Changes(rows, steps[:, 0], steps[:, 1], banded & np.isfinite(steps).all(axis=1))


def _pairs(table: pd.DataFrame, columns: list[str]) -> Iterator[tuple[int, Array]]:
    """Row of a later visit's first recording, and what changed since the visit before."""
    for _, person in table.groupby("subject_id", sort=True):
        visits = {str(name): own for name, own in person.groupby("session_id")}
        names = sorted(visits, key=natural_key)
        means = [visits[name][columns].mean().to_numpy(dtype=np.float64) for name in names]
        for earlier, later, name in zip(means, means[1:], names[1:], strict=False):
            yield int(visits[name].index[0]), later - earlier
