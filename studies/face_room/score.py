"""Rates of a set of rooms, with intervals by drawing rooms anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from studies.face_room.measure import SAME

Array = NDArray[np.float64]

WIDE = 0.12  # of the longer side: faces that are to be found
EDGE = 2  # frames on both sides of a change in which both answers are right
_DRAWS = 2000


@dataclass(frozen=True)
class Rate:
    """A rate with its 95 % interval, and over how many frames of all rooms."""

    value: float
    low: float
    high: float
    frames: int


def recall(rooms: Sequence[pd.DataFrame]) -> Rate:
    """Share of usable frames with a face wide enough in which the box found is that of the person."""
    return _rate([_recall(room) for room in rooms])


def wrong_person(rooms: Sequence[pd.DataFrame], *, used: bool) -> Rate:
    """Share of all frames whose box is the second person's; of those the gate lets pass, if `used`."""
    return _rate([_wrong(room, used) for room in rooms])


def masks(rooms: Sequence[pd.DataFrame], reason: str | None, *, edges: bool) -> dict[str, Rate]:
    """Precision, recall and F1 of the frames to be masked.

    Args:
        rooms: Frame tables.
        reason: Of one reason the recall is over frames that it truly speaks against, masked for whatever
            reason, and the precision over frames that the gate names it for, to be masked for whatever
            reason; None is of all frames.
        edges: Whether frames within `EDGE` of a change of the truth count.
    """
    counts = [_mask_counts(room, reason, edges=edges) for room in rooms]
    shares: dict[str, Callable[[Array], float]] = {"precision": _precision, "recall": _sensitivity, "F1": _f1}
    return {name: _statistic(counts, share) for name, share in shares.items()}


def _recall(room: pd.DataFrame) -> tuple[int, int]:
    asked = room["true_usable"] & (room["width"] >= WIDE)
    return int((asked & (room["overlap"] >= SAME)).sum()), int(asked.sum())


def _wrong(room: pd.DataFrame, used: bool) -> tuple[int, int]:
    other = (room["overlap_other"] >= SAME) & (room["overlap"] < SAME) & room["found"]
    return int((other & room["usable"]).sum() if used else other.sum()), len(room)


def _mask_counts(room: pd.DataFrame, reason: str | None, *, edges: bool) -> tuple[int, int, int, int]:
    """Named rightly, named, true and masked, true."""
    true, said = ~room["true_usable"], ~room["usable"]
    judged = np.ones(len(room), dtype=bool) if edges else ~near_changes(true.to_numpy())
    of_truth = true if reason is None else room[f"true_{reason}"]
    of_gate = said if reason is None else room[f"said_{reason}"]
    return (
        int((of_gate & true & judged).sum()),
        int((of_gate & judged).sum()),
        int((of_truth & said & judged).sum()),
        int((of_truth & judged).sum()),
    )


def near_changes(rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows within `EDGE` of a change ``(T,)``."""
    changes = np.flatnonzero(np.diff(rows.astype(int)))
    near = np.zeros(len(rows), dtype=bool)
    for change in changes:
        near[max(change + 1 - EDGE, 0) : change + 1 + EDGE] = True
    return near


def _precision(counts: Array) -> float:
    return float(counts[0] / counts[1]) if counts[1] else np.nan


def _sensitivity(counts: Array) -> float:
    return float(counts[2] / counts[3]) if counts[3] else np.nan


def _f1(counts: Array) -> float:
    precision, sensitivity = _precision(counts), _sensitivity(counts)
    both = precision + sensitivity
    return 2 * precision * sensitivity / both if both > 0 else np.nan


def _rate(counts: Sequence[tuple[int, int]]) -> Rate:
    return _statistic(counts, _precision)


def _statistic(counts: Sequence[tuple[int, ...]], share: Callable[[Array], float]) -> Rate:
    """A share of pooled counts, and the percentiles of 2,000 draws of as many rooms."""
    table = np.array(counts, dtype=np.float64)
    rng = np.random.default_rng(0)
    picks = rng.integers(len(table), size=(_DRAWS, len(table)))
    drawn = np.array([share(table[pick].sum(axis=0)) for pick in picks])
    known = drawn[np.isfinite(drawn)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
    return Rate(share(table.sum(axis=0)), float(low), float(high), int(table[:, -1].sum()))
