"""Labels that a forecast rests on: how they are spread, and how alike those of one person are."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]

FEWEST_WITH_SEVERAL = 10  # our choice: persons with several recordings below which no ICC is estimated


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of recordings (N,): the class, the score, or both.

    Attributes:
        person: Code of the person, from 0.
        positive: 0 or 1; None where no classes are known.
        score: In points; None where no scores are known.
    """

    person: NDArray[np.int64]
    positive: Array | None = None
    score: Array | None = None

    def __post_init__(self) -> None:
        if self.positive is None and self.score is None:
            raise ValueError("no labels: give classes, scores or both")

    @cached_property
    def kinds(self) -> "Kinds":
        """The distinct labels; what a reader sees is the severity behind the score, else behind the class.

        Severity is taken as normal, as item response models do: that of a label is the normal score of its
        middle rank. Totals are skewed where most persons are well; severity need not be.
        """
        columns = [one for one in (self.score, self.positive) if one is not None]
        distinct, kind = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
        kind = kind.reshape(-1)
        share = np.bincount(kind) / len(kind)
        label = distinct[:, 0]
        level, place = np.unique(label, return_inverse=True)
        mass = np.bincount(place, share)
        seen = ndtri(np.cumsum(mass) - mass / 2)[place] if len(level) > 1 else np.zeros(len(label))
        seen = seen - share @ seen
        return Kinds(
            seen=seen / (float(np.sqrt(share @ seen**2)) or 1.0),
            points=None if self.score is None else label - share @ label,
            positive=None if self.positive is None else distinct[:, -1],
            share=share,
            of=kind,
        )

    @cached_property
    def pairs(self) -> Array:
        """How many ordered pairs of recordings of one person are of which two kinds (K, K)."""
        counts = np.zeros((int(self.person.max()) + 1, len(self.kinds.share)))
        np.add.at(counts, (self.person, self.kinds.of), 1.0)
        found: Array = counts.T @ counts - np.diag(counts.sum(axis=0))
        return found

    @property
    def prevalence(self) -> float | None:
        """Share of positive recordings."""
        return None if self.positive is None else float(self.positive.mean())

    def icc(self) -> float | None:
        """Intraclass correlation of scores, else of classes, of one person (one-way analysis of variance).

        ICC(1) of Shrout and Fleiss (1979) with the mean number of recordings of unequal groups; None where
        fewer than `FEWEST_WITH_SEVERAL` persons have several, or nothing varies.
        """
        values = self.score if self.score is not None else self.positive
        assert values is not None
        counts = np.bincount(self.person)
        counts = counts[counts > 0]
        if int((counts > 1).sum()) < FEWEST_WITH_SEVERAL or np.ptp(values) == 0:
            return None
        total, persons = len(values), len(counts)
        sums = np.bincount(self.person, values)
        means = sums / np.maximum(np.bincount(self.person), 1)
        within = float(((values - means[self.person]) ** 2).sum()) / (total - persons)
        between = float(((means[self.person] - values.mean()) ** 2).sum()) / (persons - 1)
        size = (total - float((counts**2).sum()) / total) / (persons - 1)
        return float(np.clip((between - within) / (between + (size - 1) * within), 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Kinds:
    """The K distinct labels of a table.

    Attributes:
        seen: What a reader sees of each (K,), mean 0 and variance 1 over recordings.
        points: Scores (K,) around their mean, or None.
        positive: Class (K,), or None.
        share: Of the recordings (K,).
        of: Kind (N,) of each recording.
    """

    seen: Array
    points: Array | None
    positive: Array | None
    share: Array
    of: NDArray[np.int64]
