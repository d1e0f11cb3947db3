"""The label that an x-ray asks about, and what a defect of the files alone would score against it."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.identity import person_codes
from engine.cohort.asked_label import labels_of
from evaluation.audit.alone import FEWEST, Alone, category_scores, enough, measured_alone


@dataclass(frozen=True, eq=False)
class Target:
    """Recordings with a label: their rows (N,) in the table, ids, labels 0 or 1 and persons.

    `reason` says why nothing can be said, and is empty where something can.
    """

    rows: NDArray[np.int64]
    ids: tuple[str, ...]
    labels: NDArray[np.float64]
    persons: NDArray[np.int64]
    note: str
    reason: str

    @classmethod
    def of(cls, table: pd.DataFrame | None) -> "Target":
        """The target of a table; nobody has a label where there is no table."""
        nothing = np.zeros(0, dtype=np.int64)
        if table is None:
            return cls(
                nothing, (), nothing.astype(np.float64), nothing, "none", "no labels: there is no table"
            )
        labels, note = labels_of(table)
        rows = np.flatnonzero(np.isfinite(labels))
        labels, persons = labels[rows], person_codes(table)[rows]
        reason = ""
        if not len(rows):
            reason = "no labels"
        elif not enough(labels, persons):
            reason = f"cannot tell: fewer than {FEWEST} persons with, or without, the label"
        ids = tuple(table["recording_id"].astype(str).iloc[rows])
        return cls(rows, ids, labels, persons, note, reason)

    def alone(self, recordings: Collection[str]) -> tuple[Alone | None, str]:
        """What knowing that a recording is one of these would score, or why nobody knows."""
        if self.reason:
            return None, self.reason
        has = np.array([own in recordings for own in self.ids])
        if has.all() or not has.any():
            return None, f"{'every' if has.all() else 'no'} recording with a label has it"
        scores = category_scores(has, self.labels, self.persons)
        return measured_alone(self.labels, scores, self.persons), ""
