"""Feature selection by the rank-sum test between two classes, on training rows."""

import logging
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import mannwhitneyu
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import validate_data

_log = logging.getLogger(__name__)

P_VALUE = 0.01  # Faces of the Mind (github.com/njnklab/FACES), which tests all rows before the split
FEWEST = 10  # our choice: a model of a fold without any feature would be no model


class RankSumSelector(SelectorMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Keep features whose distributions differ, Mann & Whitney 1947, two-sided and uncorrected.

    Of F features without information about F `p_value` pass by chance. Rows count as independent; where
    persons have several recordings p-values are too small, which changes how many features pass and not the
    validity of a test on other persons.

    Args:
        p_value: Features below it are kept.
        fewest: So many of the smallest p-values are kept where none passes, and a warning says so.

    Attributes:
        p_values_: (F,); 1 of a constant feature.
        passed_: How many lie below `p_value`.
    """

    def __init__(self, *, p_value: float = P_VALUE, fewest: int = FEWEST) -> None:
        self.p_value = p_value
        self.fewest = fewest

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Test features (N, F), finite, against labels (N,) of two classes.

        Raises:
            ValueError: There are other than two classes.
        """
        x = validate_data(self, X, dtype=np.float64)
        label = np.asarray(y)
        classes = np.unique(label)
        if classes.size != 2:
            raise ValueError(f"a rank-sum test compares two classes; the training rows have {classes.size}")
        found = mannwhitneyu(x[label == classes[1]], x[label == classes[0]], axis=0).pvalue
        self.p_values_ = np.where(np.ptp(x, axis=0) > 0, found, 1.0)
        self.passed_ = int((self.p_values_ < self.p_value).sum())
        if not self.passed_:
            _log.warning(
                "no feature of %d has p < %g: the %d smallest p-values are kept instead",
                x.shape[1],
                self.p_value,
                min(self.fewest, x.shape[1]),
            )
        return self

    def _get_support_mask(self) -> NDArray[Any]:
        if self.passed_:
            return np.asarray(self.p_values_ < self.p_value)
        mask = np.zeros(self.p_values_.size, dtype=bool)
        mask[np.argsort(self.p_values_, kind="stable")[: self.fewest]] = True
        return mask
