"""Visits of persons, and each later visit beside the visits before it.

A visit is the mean of its recordings. What a visit is compared with, its baseline, is the mean prediction of
the visits before it, or the mean of their known scores where the protocol makes scores known.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.visits import place_of_visits
from datamodules.schema import UNKNOWN

Array = NDArray[np.float64]

KNOWN = "known_visits"  # how many earlier visits the protocol makes known to a prediction
NAMES = "known_names"  # those whose scores it knows, in order
MOVED = "score_moved"  # the predicted score if all known scores were a point higher


@dataclass(frozen=True)
class Pairs:
    """Later visits (R,) and their baselines of n earlier ones; scores in points, NaN where unknown.

    Attributes:
        subject: Person of each row.
        begin: Names of the n visits of the baseline.
        end: Name of the later visit.
        prediction: Predicted score of the later visit.
        baseline: Mean prediction of the baseline, or mean known score.
        scores: Scores (R, n + 1) of the later visit, then of those of the baseline. Of a baseline of known
            scores only its mean is kept: (R, 2).
        visits: n.
        known: Whether the baseline is one of known scores.
        moves: How far predictions move with the known scores, by point; NaN where that was not measured.
    """

    subject: NDArray[np.object_]
    begin: list[str]
    end: NDArray[np.object_]
    prediction: Array
    baseline: Array
    scores: Array
    visits: int
    known: bool
    moves: float = 0.0

    def __len__(self) -> int:
        return len(self.subject)

    def rows(self, chosen: NDArray[np.bool_]) -> "Pairs":
        """Some of the rows."""
        begin = [name for name, own in zip(self.begin, chosen, strict=True) if own]
        return Pairs(
            self.subject[chosen], begin, self.end[chosen], self.prediction[chosen], self.baseline[chosen],
            self.scores[chosen], self.visits, self.known, self.moves,
        )  # fmt: skip


def with_known_scores(recordings: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """The table with `known_score`, mean of the earlier scores behind each row, and `known_scores`, how many.

    Unchanged where the table has no column `known_names`, as under protocols that make no score known.

    Args:
        recordings: recording table; `known_names` are the visits of its person whose scores a row knows.
        facts: `subject_id`, `session_id` and `score` of all recordings.
    """
    if NAMES not in recordings:
        return recordings
    means = facts.groupby(["subject_id", "session_id"])["score"].mean() if "score" in facts else pd.Series()
    known = [
        [float(means[person, name]) for name in names]
        for person, names in zip(recordings["subject_id"], recordings[NAMES], strict=True)
    ]
    return recordings.assign(
        known_score=[float(np.mean(own)) if own else np.nan for own in known],
        known_scores=[len(own) for own in known],
    )


def visit_table(recordings: pd.DataFrame) -> pd.DataFrame:
    """One row a visit of a known person at a known place, in order, with `prediction` and `score`."""
    table = recordings[recordings["subject_id"] != UNKNOWN]
    table = table.assign(place=place_of_visits(table)).dropna(subset=["place", "score_prediction"])
    target = table.get("score_target", np.nan)
    table = table.assign(prediction=table["score_prediction"], score=target)
    means = ["place", "prediction", "score"]
    if MOVED in table and "known_score" in table:
        table, means = table.assign(moved=table[MOVED]), [*means, "moved"]
    firsts = ["known_score", "known_scores", NAMES] if "known_score" in table else []
    groups = table.groupby(["subject_id", "session_id"], sort=False)
    visits = pd.concat([groups[means].mean(), groups[firsts].first()], axis=1).reset_index()
    return visits.sort_values(["subject_id", "place"], ignore_index=True)


def windows(visits: pd.DataFrame, count: int) -> Pairs:
    """Every visit that has `count` visits before it, with the mean prediction of the last `count` of them."""
    prediction, score, names, subject = (
        visits[name].to_numpy() for name in ("prediction", "score", "session_id", "subject_id")
    )
    place = visits.groupby("subject_id").cumcount().to_numpy()
    ends = np.flatnonzero(place >= count)
    before = ends[:, None] - np.arange(count, 0, -1)
    return Pairs(
        subject=subject[ends],
        begin=[", ".join(map(str, own)) for own in names[before]],
        end=names[ends],
        prediction=prediction[ends].astype(np.float64),
        baseline=prediction[before].astype(np.float64).reshape(len(ends), count).mean(axis=1),
        scores=np.column_stack([score[ends], score[before]]).astype(np.float64),
        visits=count,
        known=False,
    )


def known_pairs(visits: pd.DataFrame, count: int) -> Pairs:
    """Every visit that has `count` known scores of earlier visits, with their mean."""
    own = visits[visits["known_scores"] == count]
    baseline = own["known_score"].to_numpy(dtype=np.float64)
    return Pairs(
        subject=own["subject_id"].to_numpy(),
        begin=[", ".join(names) for names in own[NAMES]],
        end=own["session_id"].to_numpy(),
        prediction=own["prediction"].to_numpy(dtype=np.float64),
        baseline=baseline,
        scores=np.column_stack([own["score"].to_numpy(dtype=np.float64), baseline]),
        visits=count,
        known=True,
        moves=float((own["moved"] - own["prediction"]).mean()) if "moved" in own else np.nan,
    )


def all_pairs(visits: pd.DataFrame) -> Iterator[Pairs]:
    """Pairs by the number of earlier visits, from one on, as far as there are any."""
    known = "known_scores" in visits
    if visits.empty:
        return
    most = int(visits["known_scores"].max() if known else visits["subject_id"].value_counts().max() - 1)
    for count in range(1, most + 1):
        pairs = known_pairs(visits, count) if known else windows(visits, count)
        if len(pairs):
            yield pairs
