"""Made-up persons whose visits are spread over train, dev and test as in the official AVEC partitions.

Both official partitions have 50 sessions a part and share persons between the parts. The published numbers
fix how many persons are in one, two or three parts; which of them have two visits in one part is our choice,
such that the number of sessions a person comes out right.
"""

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from datamodules.sources.shared.avec import PARTS

FOLDERS = {"train": "Training", "dev": "Development", "test": "Testing"}
_FIRST = 900  # no AVEC person has such a number
_LEVELS = (3, 11, 17, 24, 36)  # BDI-II totals persons are drawn around: every band, both sides of the cut

Pattern = tuple[tuple[int, tuple[int, int, int]], ...]  # persons, each with sessions in train, dev, test

# 83 persons: 34, 31 and 18 with 1, 2 and 3 sessions; 41, 43 and 42 a part;
# 26 in train and dev, 10 in train and test, 12 in dev and test.
AVEC2014: Pattern = (
    (7, (1, 0, 0)), (7, (0, 1, 0)), (20, (0, 0, 1)),
    (3, (2, 0, 0)), (3, (0, 2, 0)), (5, (0, 0, 2)),
    (11, (1, 1, 0)), (5, (1, 0, 1)), (4, (0, 1, 1)),
    (6, (2, 1, 0)), (4, (1, 2, 0)), (3, (0, 1, 2)),
    (5, (1, 1, 1)),
)  # fmt: skip
# 82 persons; 41, 43 and 42 a part; 27 in train and dev, 10 in train and test, 13 in dev and test.
AVEC2013: Pattern = (
    (7, (1, 0, 0)), (6, (0, 1, 0)), (20, (0, 0, 1)),
    (3, (2, 0, 0)), (3, (0, 2, 0)), (5, (0, 0, 2)),
    (11, (1, 1, 0)), (4, (1, 0, 1)), (4, (0, 1, 1)),
    (6, (2, 1, 0)), (4, (1, 2, 0)), (3, (0, 1, 2)),
    (6, (1, 1, 1)),
)  # fmt: skip


@dataclass(frozen=True)
class Session:
    """One visit of a made-up person: `name` is `PPP_S`, `part` train, dev or test, `score` a BDI-II total."""

    name: str
    part: str
    score: int


def sessions(pattern: Pattern, *, persons: int | None, seed: int) -> list[Session]:
    """Draw the sessions; the first persons of a pattern hold each kind of person once.

    Args:
        pattern: Kinds of persons and how many there are of each.
        persons: How many to take; None is all of them.
        seed: Decides the labels and who comes when.

    Raises:
        ValueError: More persons than the pattern has, or none.
    """
    rounds = zip_longest(*([visits] * count for count, visits in pattern))
    kinds = [visits for row in rounds for visits in row if visits is not None]
    if persons is not None and not 1 <= persons <= len(kinds):
        raise ValueError(f"persons={persons}: give 1 to {len(kinds)}, or leave it out for all")
    rng = np.random.default_rng([seed, _FIRST])
    found = []
    for number, visits in enumerate(kinds[:persons]):
        parts = [part for part, count in zip(PARTS, visits, strict=True) for _ in range(count)]
        level = _LEVELS[number % len(_LEVELS)]
        for visit, part in enumerate(rng.permutation(parts).tolist(), start=1):
            score = int(np.clip(level + rng.integers(-4, 5), 0, 63))
            found.append(Session(f"{_FIRST + number}_{visit}", part, score))
    return found


def write_label(path: Path, score: int) -> None:
    """Write a label file as published: one number, no header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{score}\n", encoding="utf-8")
