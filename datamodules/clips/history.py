"""What a batch tells of the scores of earlier visits: who may know whose, and what they were."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class VisitFacts(NamedTuple):
    """Of a clip's visit: its place in time, whether later predictions may know it, and then its score."""

    place: float
    known: bool
    score: float


def history(subject: Tensor, facts: Sequence[VisitFacts]) -> dict[str, Tensor]:
    """The earlier visits that each row of a batch may know.

    Args:
        subject: Codes of the persons (B,), below 0 where nobody knows who it is.
        facts: Of each row's visit, B of them.

    Returns:
        `earlier` (B,B) bool: row j is a clip of a known visit of row i's person, before that of row i.
        `score` (B,B) float32: the score of that visit; NaN where `earlier` is False, or it has none.
    """
    place, score = (torch.tensor([getattr(one, name) for one in facts]) for name in ("place", "score"))
    known = torch.tensor([one.known for one in facts], dtype=torch.bool)
    same = (subject[:, None] == subject[None, :]) & (subject >= 0)[:, None]
    earlier = same & known[None, :] & (place[None, :] < place[:, None])  # of an unknown place nothing is
    nothing = torch.full_like(earlier, torch.nan, dtype=torch.float32)
    return {"earlier": earlier, "score": torch.where(earlier, score.float()[None, :], nothing)}
