r"""A reader of a given strength, and how single recordings carry its metrics.

A prediction is what the label says plus a disturbance, `p = s x + z`, with x the severity behind the label
(`forecast.labels`) of variance 1, s the strength and z normal of variance 1; of a score the reader says the
best linear guess. A metric of many recordings is
its value plus the mean of their influences, which for recording x, z is

    AUC    (F_0(p) - AUC) / \pi where positive, (1 - F_1(p) - AUC) / (1 - \pi) where negative
    MAE    |e| - MAE            RMSE    (e^2 - RMSE^2) / (2 RMSE)
    CCC    2 (y p - c) / D - 2 c (y^2 + p^2 - D) / D^2,    c = E y p,  D = E y^2 + E p^2

with F_0 and F_1 the distributions of predictions of both classes (placement values: DeLong 1988, Obuchowski
1997). In orthonormal Hermite polynomials of z, E f(z) g(z') = \sum_q \kappa^q f_q g_q for disturbances of
correlation \kappa (Mehler 1866): so recordings of one person, or of two models, need no simulation.
Letters: `K` kinds of labels, `G` points of z, `Q` polynomials.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from evaluation.forecast.labels import Kinds

Array = NDArray[np.float64]

METRICS = ("auc", "mae", "rmse", "ccc")
_Z = np.linspace(-8, 8, 641)  # trapezoids on a normal density: exact to 1e-10 where smooth, 1e-4 at a kink
_DENSITY = np.exp(-(_Z**2) / 2) / np.exp(-(_Z**2) / 2).sum()
_ORDERS = 64
_CLEAR = 1e-3  # our choice: share of the way from nothing to everything below which a reader knows nothing
STRONGEST = 60.0  # strength at which a reader says the label itself
_STEPS = 1001  # of the distribution functions, which lie between them to 1e-5


class UnreachableError(ValueError):
    """A value that no reader of these labels has."""


class Reading(NamedTuple):
    """A metric of a reader: its value, and the influence of a recording by kind and disturbance (K, G)."""

    value: float
    influence: Array

    def coefficients(self) -> Array:
        """Of the influence in Hermite polynomials (K, Q)."""
        found: Array = (self.influence * _DENSITY) @ _HERMITE.T
        return found

    def square(self, share: Array) -> float:
        """Mean square of the influence over recordings."""
        return float(share @ (self.influence**2 @ _DENSITY))

    def kurtosis(self, share: Array) -> float:
        """Fourth moment of the influence over its squared second.

        Raises:
            ValueError: No recording moves the metric, as none does the CCC of a constant.
        """
        square = self.square(share)
        if square == 0:
            raise ValueError(f"no recording moves the value of {self.value:.3g}: it has no interval")
        return float(share @ (self.influence**4 @ _DENSITY)) / square**2


def read(metric: str, kinds: Kinds, strength: float) -> Reading:
    """A metric of the reader of this strength.

    Args:
        metric: One of `METRICS`; AUC needs classes, the others scores.
        kinds: Of labels.
        strength: 0 knows nothing.
    """
    return _READ[metric](kinds, strength)


def strength_of(metric: str, kinds: Kinds, value: float) -> float:
    """Strength of the reader with this value of a metric.

    Raises:
        UnreachableError: One who knows nothing is as good already but for a thousandth, or one who knows the
            label is not.
    """
    nothing, everything = (read(metric, kinds, s).value for s in (0.0, STRONGEST))
    way = (value - nothing) / (everything - nothing) if everything != nothing else 0.0
    if not _CLEAR <= way < 1:
        raise UnreachableError(
            f"{metric}={value:g}: on these labels a reader who knows nothing has {nothing:.3g}, and one who "
            f"knows them {everything:.3g}; give a value clearly between the two"
        )
    return float(brentq(lambda s: read(metric, kinds, s).value - value, 0.0, STRONGEST, xtol=1e-8))


def _hermite() -> Array:
    """Orthonormal Hermite polynomials (Q, G) at the points of z."""
    rows = [np.ones_like(_Z), _Z]
    for q in range(1, _ORDERS - 1):
        rows.append((_Z * rows[q] - np.sqrt(q) * rows[q - 1]) / np.sqrt(q + 1))
    return np.stack(rows)


_HERMITE = _hermite()


def _auc(kinds: Kinds, strength: float) -> Reading:
    assert kinds.positive is not None
    share, positive = kinds.share, kinds.positive == 1
    seen = strength * kinds.seen
    prevalence = float(share[positive].sum())
    p = seen[:, None] + _Z
    grid = np.linspace(p.min(), p.max(), _STEPS)
    below = {
        own: np.interp(p, grid, ndtr(grid[:, None] - seen[rows]) @ share[rows] / share[rows].sum())
        for own, rows in ((1, positive), (0, ~positive))
    }
    placed = np.where(positive[:, None], below[0], 1 - below[1])
    means = placed @ _DENSITY
    value = float(share[positive] @ means[positive] / prevalence)
    rarity = np.where(positive, prevalence, 1 - prevalence)
    return Reading(value, (placed - value) / rarity[:, None])


def _said(kinds: Kinds, strength: float) -> tuple[Array, Array]:
    """Scores around their mean (K, 1), and the best linear guess of them (K, G)."""
    assert kinds.points is not None
    common = float(kinds.share @ (kinds.points * kinds.seen))
    slope = common * strength / (strength**2 + 1)
    return kinds.points[:, None], slope * (strength * kinds.seen[:, None] + _Z)


def _mae(kinds: Kinds, strength: float) -> Reading:
    y, said = _said(kinds, strength)
    error = np.abs(y - said)
    value = float(kinds.share @ (error @ _DENSITY))
    return Reading(value, error - value)


def _rmse(kinds: Kinds, strength: float) -> Reading:
    y, said = _said(kinds, strength)
    square = (y - said) ** 2
    mean = float(kinds.share @ (square @ _DENSITY))
    return Reading(float(np.sqrt(mean)), (square - mean) / (2 * np.sqrt(mean)))


def _ccc(kinds: Kinds, strength: float) -> Reading:
    y, said = _said(kinds, strength)
    common = float(kinds.share @ ((y * said) @ _DENSITY))
    spread = float(kinds.share @ ((y**2 + said**2) @ _DENSITY))
    influence = 2 * (y * said - common) / spread - 2 * common * (y**2 + said**2 - spread) / spread**2
    return Reading(2 * common / spread, influence)


_READ: dict[str, Callable[[Kinds, float], Reading]] = {"auc": _auc, "mae": _mae, "rmse": _rmse, "ccc": _ccc}
