r"""Who is tested, what is assumed of predictions, and the variances that follow.

A metric of N recordings, P = \sum n_i (n_i - 1) ordered pairs of which are of one person, has the variance

    (N a + P b) / N^2,    a = E f^2,  b = E f f'  (two recordings of a person)

with f the influence of a recording (`forecast.reader`). The disturbances of a person correlate by
`icc_predictions`, those of two models on one recording by `correlation`, on two of them by the product.
The labels of a person are those of the table, or, where an intraclass correlation is given, the second is
the first with that probability and else anybody's, which has that correlation.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.forecast.labels import Labels
from evaluation.forecast.reader import Reading

Array = NDArray[np.float64]


_MOST_ALIKE = 0.999  # our choice: models disturbed alike are one, of which any difference would be seen


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What nobody knows before training; all defaults are our choice.

    Attributes:
        icc_predictions: Correlation of what disturbs two predictions of one person: habit of face, light.
        icc_labels: Intraclass correlation of a person's labels; None takes the pairs of the table.
        correlation: Of what disturbs two models on one recording, .999 at most.

    Raises:
        ValueError: A correlation outside of its range.
    """

    icc_predictions: float = 0.5
    icc_labels: float | None = None
    correlation: float = 0.7

    def __post_init__(self) -> None:
        for name in ("icc_predictions", "icc_labels", "correlation"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"{name}={value:g}: give a correlation from 0 to 1")
        if self.correlation > _MOST_ALIKE:
            raise ValueError(
                f"correlation={self.correlation:g}: two models that are disturbed alike are one model, and "
                f"no difference would be too small; give {_MOST_ALIKE:g} or less"
            )


@dataclass(frozen=True, eq=False)
class Design:
    """Who is tested.

    Attributes:
        persons: How many.
        sizes: Recordings of a person, of any number of typical persons.
    """

    persons: int
    sizes: NDArray[np.int64]

    @property
    def recordings(self) -> float:
        """Expected number of all."""
        return self.persons * float(self.sizes.mean())

    @property
    def pairs(self) -> float:
        """Ordered pairs of recordings of one person."""
        return self.persons * float((self.sizes * (self.sizes - 1)).mean())

    def variance(self, moments: "Moments") -> float:
        """Of a metric of all of them."""
        return (self.recordings * moments.own + self.pairs * moments.pair) / self.recordings**2


@dataclass(frozen=True)
class Moments:
    """Mean square of an influence, and its mean product over two recordings of a person."""

    own: float
    pair: float


def moments(labels: Labels, reading: Reading, assumed: Assumptions) -> Moments:
    """Of one reader."""
    f = reading.coefficients()
    return Moments(
        reading.square(labels.kinds.share), paired(labels, f, f, assumed.icc_predictions, assumed.icc_labels)
    )


def moments_of_difference(labels: Labels, a: Reading, b: Reading, assumed: Assumptions) -> Moments:
    """Of reader a minus reader b on the same recordings."""
    f, g = a.coefficients(), b.coefficients()
    share, kappa, habit, icc = (
        labels.kinds.share,
        assumed.correlation,
        assumed.icc_predictions,
        assumed.icc_labels,
    )
    shared = float(share @ ((f * g) @ kappa ** np.arange(f.shape[1])))
    alone = paired(labels, f, f, habit, icc) + paired(labels, g, g, habit, icc)
    across = paired(labels, f, g, kappa * habit, icc)
    return Moments(a.square(share) + b.square(share) - 2 * shared, alone - 2 * across)


def paired(labels: Labels, f: Array, g: Array, disturbed: float, icc: float | None) -> float:
    """Mean of f g' over two recordings of a person, from coefficients (K, Q) of both.

    Args:
        labels: Of a table.
        f: Of the first recording.
        g: Of the second.
        disturbed: Correlation of their disturbances.
        icc: Intraclass correlation of labels; None takes the pairs of the table.
    """
    kinds = labels.kinds
    powers = disturbed ** np.arange(f.shape[1])
    if icc is not None:
        same, anybody = kinds.share @ (f * g), (kinds.share @ f) * (kinds.share @ g)
        return float((icc * same + (1 - icc) * anybody) @ powers)
    total = float(labels.pairs.sum())
    return float((labels.pairs * ((f * powers) @ g.T)).sum()) / total if total else 0.0
