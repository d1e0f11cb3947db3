"""Prediction intervals of single recordings (conformal, Venn-Abers), learned on validation.

Both methods promise coverage on average over exchangeable recordings. Recordings of one person are not
independent, so with few validation persons the promise is approximate; the report shows the coverage
reached on the test split.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.isotonic import IsotonicRegression

from evaluation.metrics.applicable import labeled
from evaluation.metrics.definitions import check_pair

Array = NDArray[np.float64]

COVERAGE = 0.9


@dataclass(frozen=True)
class ConformalInterval:
    """Split-conformal interval `prediction +- q`, cut to the range of the scale (Papadopoulos et al. 2002).

    `q` is the `ceil((n + 1) coverage)`-th smallest absolute residual of `n` validation recordings, and the
    whole range when there are too few of them.
    """

    radius: float
    low: float
    high: float

    @classmethod
    def fit(
        cls, target: ArrayLike, prediction: ArrayLike, *, low: float, high: float, coverage: float = COVERAGE
    ) -> "ConformalInterval":
        """Learn the radius from validation recordings (n,) of a scale from `low` to `high`.

        Raises:
            ValueError: `coverage` is not between 0 and 1, or the range is empty.
        """
        if not 0 < coverage < 1 or not low < high:
            raise ValueError(
                f"coverage={coverage}, range {low} to {high}: need 0 < coverage < 1 and low < high"
            )
        y, p = check_pair(target, prediction)
        residuals = np.sort(np.abs(y - p))
        # the subtraction guards ceil against (n + 1) * coverage landing a rounding error above an integer
        rank = int(np.ceil((residuals.size + 1) * coverage - 1e-9))
        # too few recordings to promise this coverage: only the whole range of the scale keeps the promise
        radius = float(residuals[rank - 1]) if rank <= residuals.size else np.inf
        return cls(radius=radius, low=low, high=high)

    def __call__(self, prediction: ArrayLike) -> tuple[Array, Array]:
        """Lower and upper ends (N,) for predictions (N,)."""
        p = np.asarray(prediction, dtype=np.float64)
        return np.clip(p - self.radius, self.low, self.high), np.clip(p + self.radius, self.low, self.high)


@dataclass(frozen=True)
class VennAbers:
    """Interval of the calibrated probability (Vovk and Petej, UAI 2014).

    Isotonic regression is fitted twice on the validation pairs plus the new prediction, labeled 0 and
    labeled 1; the two calibrated values at that prediction are the ends. The raw probability may lie
    outside: it is then badly calibrated.
    """

    target: Array
    probability: Array

    @classmethod
    def fit(cls, target: ArrayLike, probability: ArrayLike) -> "VennAbers":
        """Keep the validation pairs (n,).

        Raises:
            ValueError: the targets hold one class only: nothing can be calibrated.
        """
        y, p = check_pair(target, probability)
        if np.ptp(y) == 0:
            raise ValueError("Venn-Abers calibration needs both classes on validation")
        return cls(target=y, probability=p)

    def __call__(self, probability: ArrayLike) -> tuple[Array, Array]:
        """Lower and upper ends (N,) for probabilities (N,)."""
        p = np.asarray(probability, dtype=np.float64)
        # two isotonic fits for each value that occurs, not for each recording
        distinct, where = np.unique(p, return_inverse=True)
        ends = np.array([[self._at(value, label) for label in (0.0, 1.0)] for value in distinct]).reshape(
            -1, 2
        )
        return ends[where, 0], ends[where, 1]

    def _at(self, probability: float, label: float) -> float:
        # the new recording is given both labels in turn: what it would be calibrated to if it had either
        x, y = np.append(self.probability, probability), np.append(self.target, label)
        fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(x, y)
        return float(fitted.predict([probability])[0])


def add_intervals(
    recordings: pd.DataFrame, validation: pd.DataFrame, *, low: float | None = None, high: float | None = None
) -> pd.DataFrame:
    """Recording table with columns `low` and `high` for its primary head, learned on validation.

    Scores get a conformal interval, probabilities a Venn-Abers interval; both stay empty where validation
    cannot support them (no labeled recording, one class).

    Args:
        recordings: table to extend.
        validation: recording table of the validation split.
        low: lowest value of the scale, in points; needed for scores.
        high: highest value of the scale.

    Raises:
        ValueError: scores without the range of their scale.
    """
    ends = (np.full(len(recordings), np.nan), np.full(len(recordings), np.nan))
    if "score_prediction" in recordings:
        if low is None or high is None:
            raise ValueError("score intervals need the range of the scale: pass low and high")
        known = labeled(validation, "score_target") if "score_target" in validation else validation.iloc[:0]
        if len(known):
            fit = ConformalInterval.fit(known["score_target"], known["score_prediction"], low=low, high=high)
            ends = fit(recordings["score_prediction"])
    elif "binary_prediction" in recordings and "binary_target" in validation:
        known = labeled(validation, "binary_target")
        if known["binary_target"].nunique() == 2:
            calibrated = VennAbers.fit(known["binary_target"], known["binary_prediction"])
            ends = calibrated(recordings["binary_prediction"])
    return recordings.assign(low=ends[0], high=ends[1])
