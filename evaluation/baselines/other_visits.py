"""What a method may set beside a recording: the person's other visits, or earlier ones with their scores.

All functions read these columns of the manifest rows: `person`, a code of its own for everybody who is not
known; `visit`, a code; `place`, of the visit among those of the person, NaN if unknown; `known`, whether
later predictions of the person may know the visit; and `visit_score`, its score, NaN where it is not known.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]


def earlier_scores(table: pd.DataFrame) -> tuple[Array, Array]:
    """Last and mean score of the known visits before each row's, (N,) each; NaN where there is none."""
    known = table[table["known"] & table["visit_score"].notna() & table["place"].notna()]
    visits = {
        person: own.drop_duplicates("visit")
        .sort_values("place")[["place", "visit_score"]]
        .to_numpy(dtype=float)
        for person, own in known.groupby("person")
    }
    last, mean = np.full((2, len(table)), np.nan)
    for row, (person, place) in enumerate(zip(table["person"], table["place"], strict=True)):
        own = visits.get(person)
        if own is not None and len(scores := own[own[:, 0] < place, 1]):
            last[row], mean[row] = scores[-1], scores.mean()
    return last, mean


def mean_of_others(
    features: Array, table: pd.DataFrame, *, train: NDArray[np.bool_], earlier: bool = False
) -> Array:
    """Mean features (N, D) of the person's other recordings; NaN where there is none.

    Args:
        features: Of all rows (N, D), NaN in a whole row where they are not known.
        table: The rows.
        train: Which of them train (N,): beside these stand training recordings alone.
        earlier: Only known visits before the row's own, instead of all others.
    """
    out = np.full(features.shape, np.nan)
    usable = np.asarray(np.isfinite(features).all(axis=1))
    place, known = table["place"].to_numpy(dtype=float), table["known"].to_numpy(dtype=bool)
    for indices in table.groupby("person").indices.values():
        rows = np.asarray(indices)
        for row in rows:
            others = rows[(rows != row) & usable[rows]]
            if earlier:
                others = others[known[others] & (place[others] < place[row])]
            elif train[row]:
                others = others[train[others]]
            if len(others):
                out[row] = features[others].mean(axis=0)
    return out
