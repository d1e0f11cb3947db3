r"""The ceiling that label noise allows: how well severity itself agrees with the observed label.

With normal severity z and noise \epsilon of a questionnaire, a total is a monotone step function of
\sqrt{\lambda} z + \sqrt{1 - \lambda} \epsilon whose steps give totals their distribution (thresholds as of
Samejima 1969). \lambda is the one at which totals have their reliability in points, R = var E(y | z) / var y.
Then (classical test theory, Lord and Novick 1968)

    r, CCC    \sqrt{R}, which CCC reaches where guesses are spread as widely as totals
    RMSE      \sqrt{(1 - R) var y}, of E(y | z);    MAE    E |y - median(y | z)|
    AUC       of z for the observed class;          accuracy    E max(P(1 | z), P(0 | z))

No reader of the severity that all items share can do better in many persons; in few, chance can. One who
knows what an item asks besides can, and so can a leak. The form of the noise is a model: answers made item by
item had ceilings of .958 in place of .953 of AUC, and 1.62 in place of 1.56 points of MAE (its test).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from evaluation.forecast.labels import Kinds, Labels

Array = NDArray[np.float64]

_POINTS = 2001
_Z = ndtri((np.arange(_POINTS) + 0.5) / _POINTS)  # severities of equal probability
_LEAST, _MOST = 1e-6, 1 - 1e-6


@dataclass(frozen=True)
class Ceiling:
    """The best values that a reader of true severity has; AUC and accuracy where classes are known."""

    reliability: float
    correlation: float
    ccc: float
    mae: float
    rmse: float
    auc: float | None = None
    accuracy: float | None = None


def ceiling(labels: Labels, reliability: float) -> Ceiling:
    """The best that severity can do.

    Args:
        labels: With scores.
        reliability: Of the totals, as coefficient omega or alpha.

    Raises:
        ValueError: A reliability that is none, or totals without any spread or scores.
    """
    kinds = labels.kinds
    points = kinds.points
    if points is None or np.ptp(points) == 0:
        raise ValueError("a ceiling needs totals that differ")
    if not 0 < reliability < 1:
        raise ValueError(f"reliability={reliability:g}: give a share between 0 and 1")
    spread = float(np.sqrt(kinds.share @ points**2))

    def shared(loading: float) -> float:
        said = _totals(kinds, loading) @ points
        return float(said.var()) / spread**2

    most = shared(_MOST)
    if reliability >= most:
        raise ValueError(f"reliability={reliability:g}: whole points allow {most:.3f} at most")
    totals = _totals(kinds, float(brentq(lambda x: shared(x) - reliability, _LEAST, _MOST)))
    # the first total that at least half of the persons of a severity stay at or below
    medians = points[(np.cumsum(totals, axis=1) >= 0.5 - 1e-12).argmax(axis=1)]
    mae = float((totals * np.abs(points - medians[:, None])).sum(axis=1).mean())
    root = float(np.sqrt(reliability))
    rmse = spread * float(np.sqrt(1 - reliability))
    return Ceiling(reliability, root, root, mae, rmse, *_of_classes(kinds, totals))


def _totals(kinds: Kinds, loading: float) -> Array:
    """Probability of each kind (K) at each severity (Z): (Z, K)."""
    edges = ndtri(np.clip(np.cumsum(kinds.share), 0.0, 1.0))
    edges[-1] = np.inf
    below = ndtr((edges - np.sqrt(loading) * _Z[:, None]) / np.sqrt(1 - loading))
    return np.diff(below, axis=1, prepend=0.0)


def _of_classes(kinds: Kinds, totals: Array) -> tuple[float | None, float | None]:
    """AUC and accuracy."""
    if kinds.positive is None or np.ptp(kinds.positive) == 0:
        return None, None
    positive = totals @ kinds.positive  # probability at each severity, in rising order
    negative = 1 - positive
    below = np.cumsum(negative) - negative / 2
    auc = float(positive @ below / (positive.sum() * negative.sum()))
    return auc, float(np.maximum(positive, negative).mean())
