"""Earlier visits of a person whose scores a method may know when it predicts a later one."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.identity import person_keys, visit_codes
from datamodules.manifests.visits import place_of_visits

Known = int | Literal["all"]
"""How many first visits of a person are known with their scores; `all` of them once they have been."""


def first_predicted(known: Known) -> int:
    """Place of the first visit that is predicted: the visits before it are known and only that."""
    return 1 if known == "all" else known


@dataclass(frozen=True, eq=False)
class KnownVisits:
    """Of each row of a table, whose visit it is, when that was, and what a later prediction may know of it.

    Attributes:
        person: Code of the person, int64 (N,); an unknown person has one of its own.
        visit: Code of the visit, int64 (N,), equal for all recordings of a visit.
        place: Place of the visit among those of the person, float64 (N,), from 0; NaN if unknown.
        known: Whether later predictions of the person may know the visit, bool (N,).
        score: Score of the visit, float64 (N,); NaN where the visit is not known, or has no score.
    """

    person: NDArray[np.int64]
    visit: NDArray[np.int64]
    place: NDArray[np.float64]
    known: NDArray[np.bool_]
    score: NDArray[np.float64]

    def earlier_scores(self, row: int) -> list[float]:
        """Scores of the known visits before that of a row, the first visit first; NaN where one has none."""
        behind = self.known & (self.person == self.person[row]) & (self.place < self.place[row])
        found = {self.visit[one]: (self.place[one], self.score[one]) for one in np.flatnonzero(behind)}
        return [float(score) for _, score in sorted(found.values(), key=lambda own: own[0])]


def known_visits(table: pd.DataFrame, known: Known, *, of: Collection[str] | None = None) -> KnownVisits:
    """What the first visits of persons tell of later ones.

    Args:
        table: Of a manifest, with its scores.
        known: How many first visits are known, or all that come before a prediction.
        of: Recordings of the persons concerned: of others no visit is known. None takes everybody.
    """
    persons = person_keys(table)
    place = place_of_visits(table.assign(subject_id=persons))
    mine = np.ones(len(table), dtype=np.bool_)
    if of is not None:
        asked = table["recording_id"].isin(set(of)).tolist()
        kept = {person for person, one in zip(persons, asked, strict=True) if one}
        mine = np.array([person in kept for person in persons], dtype=np.bool_)
    chosen = mine & ~np.isnan(place) & (place < (np.inf if known == "all" else known))
    return with_scores(table, place=place, known=chosen)


def with_scores(table: pd.DataFrame, *, place: NDArray[np.float64], known: NDArray[np.bool_]) -> KnownVisits:
    """The known visits of a table, each with its score: all recordings of a visit share one.

    Args:
        table: Of a manifest, with its scores.
        place: Of each row's visit, (N,).
        known: Rows of known visits, (N,).
    """
    visit = visit_codes(table)
    stated = table["score"].to_numpy(dtype=np.float64) if "score" in table else np.full(len(table), np.nan)
    score = pd.Series(stated).groupby(visit).transform("mean").to_numpy(dtype=np.float64)
    return KnownVisits(
        person=pd.factorize(np.asarray(person_keys(table), dtype=object))[0],
        visit=visit,
        place=place,
        known=known,
        score=np.where(known, score, np.nan),
    )
