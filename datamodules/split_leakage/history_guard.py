"""The guard of earlier scores: no row of a batch is told the score of its own visit, or of a later one."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.identity import visit_keys
from datamodules.manifests.known_visits import Known, KnownVisits
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.visits import place_of_visits
from datamodules.schema import UNKNOWN
from datamodules.wording import first_few

Mask = NDArray[np.bool_]


class HistoryGuard:
    """Checks what a batch tells of the scores of other visits, from the table and not from the batch.

    Where the labels were taken out of the table, as before every prediction, person, order and what is known
    are checked as ever, and a told score against the history; that the history has the scores of its visits
    was to be checked before (`check_scores`).

    Args:
        manifest: The recordings; of its labels only those of known visits are read, where it has them.
        known: What the split makes known; None forbids a history.
        history: What the batches are made of. Where there is no split, the visits that it names are known.
    """

    def __init__(self, manifest: Manifest, *, known: Known | None, history: KnownVisits | None) -> None:
        self._told = known is not None or history is not None
        if history is None:
            return
        table = manifest.table
        self._names = table["recording_id"].tolist()
        keys = visit_keys(table)
        persons = [person for person, _ in keys]
        # numbers, which are compared for every pair of rows
        self._person = np.unique(persons, return_inverse=True)[1]
        self._visit = np.unique([session for _, session in keys], return_inverse=True)[1]
        self._sure = (table["subject_id"] != UNKNOWN).to_numpy()
        self._place = place_of_visits(table.assign(subject_id=persons))
        self._known = np.asarray(history.known, dtype=np.bool_)
        if isinstance(known, int):
            self._known = self._known & (self._place < known)
        self._score = np.asarray(history.score, dtype=np.float64)
        if (odd := np.isfinite(self._score) & ~self._known).any():
            named = [self._names[row] for row in np.flatnonzero(odd)]
            raise LeakageError(f"{manifest}: scores told of visits that are not known: {first_few(named)}")
        check_scores(manifest, history)

    def __call__(self, batch: Mapping[str, Any]) -> None:
        """Check a batch.

        Raises:
            LeakageError: It has a history where the protocol makes no visit known; or tells of a visit that
                is not an earlier known one of the same person, or a score that is not that of the visit.
                Names the recordings.
        """
        if "history" not in batch:
            return
        if not self._told:
            raise LeakageError(
                "a batch tells scores of other visits, and the protocol makes none known; use "
                "protocol=longitudinal protocol.known=<k or all>, or leave the history out of the batch"
            )
        earlier, told = (_array(batch["history"][name]) for name in ("earlier", "score"))
        rows = _array(batch["row"]).astype(np.int64)
        fair = self._fair(rows)
        heard = earlier.astype(np.bool_) | np.isfinite(told)
        faults = [
            f"{self._names[rows[i]]} knows of {self._names[rows[j]]}, {self._why(rows[i], rows[j])}"
            for i, j in zip(*np.nonzero(heard & ~fair), strict=True)
        ]
        true = np.broadcast_to(self._score[rows][None, :], told.shape)
        wrong = np.isfinite(told) & fair & ~(np.isclose(told, true, rtol=1e-5) & earlier.astype(np.bool_))
        faults += [
            f"{self._names[rows[i]]} is told {told[i, j]:g} of {self._names[rows[j]]}, whose score is "
            f"{true[i, j]:g}"
            for i, j in zip(*np.nonzero(wrong), strict=True)
        ]
        if faults:
            listed = "\n".join(f"  - {fault}" for fault in dict.fromkeys(faults[:10]))
            raise LeakageError(f"a batch tells scores that a prediction must not know:\n{listed}")

    def _fair(self, rows: NDArray[np.int64]) -> Mask:
        """Whether row i of a batch may know of row j, (B,B)."""
        person, place = self._person[rows], self._place[rows]
        same = (person[:, None] == person[None, :]) & self._sure[rows][:, None]
        fair: Mask = same & (place[None, :] < place[:, None]) & self._known[rows][None, :]
        return fair

    def _why(self, one: int, other: int) -> str:
        if self._person[one] != self._person[other] or not self._sure[one]:
            return "another person"
        if self._visit[one] == self._visit[other]:
            return "its own visit"
        return (
            "which the protocol does not make known"
            if self._place[other] < self._place[one]
            else ("a later visit")
        )


def check_scores(manifest: Manifest, history: KnownVisits) -> None:
    """The scores that batches are made of are those of the table, as far as it has them.

    Args:
        manifest: With its labels: without any, nothing is compared.
        history: What the batches are made of.

    Raises:
        LeakageError: A visit is told with the score of another one. Names the recordings.
    """
    if "score" not in manifest.table:
        return
    stated = manifest.table["score"].to_numpy(dtype=np.float64)
    told = np.asarray(history.score, dtype=np.float64)
    # a recording without a score may have that of another one of its visit
    odd = np.isfinite(told) & np.isfinite(stated) & ~np.isclose(told, stated)
    if odd.any():
        names = manifest.table["recording_id"].tolist()
        named = [f"{names[row]} ({told[row]:g}, its own is {stated[row]:g})" for row in np.flatnonzero(odd)]
        raise LeakageError(f"{manifest}: scores told of visits that do not have them: {first_few(named)}")


def _array(value: Tensor) -> NDArray[Any]:
    found: NDArray[Any] = value.detach().cpu().numpy()
    return found
