"""Down-sampling of the training rows to equally large classes, as Faces of the Mind balances its data."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import _safe_indexing

from biomarkers.estimators.grouped_pipeline import fit_by_persons


class DownSampled(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Fits as many recordings of every class as the rarest has, drawn at random without replacement.

    Faces of the Mind (github.com/njnklab/FACES) draws before the split, so that the persons who are tested
    are balanced too and most persons are tested never. Here the training rows alone are drawn. It is the
    source's way and throws most controls away: class weights keep them.

    Args:
        estimator: A classifier, or a pipeline.
        seed: Of the draw.
    """

    def __init__(self, *, estimator: Any, seed: int = 0) -> None:
        self.estimator = estimator
        self.seed = seed

    def fit(self, X: Any, y: ArrayLike, groups: ArrayLike) -> Self:
        """Fit a draw of recordings (N), labels (N,) and persons (N,); the rows are kept in `rows_`."""
        label, rng = np.asarray(y), np.random.default_rng(self.seed)
        self.classes_, counts = np.unique(label, return_counts=True)
        drawn = [
            rng.choice(np.flatnonzero(label == own), counts.min(), replace=False) for own in self.classes_
        ]
        self.rows_ = np.sort(np.concatenate(drawn))
        part = (_safe_indexing(X, self.rows_), label[self.rows_], np.asarray(groups)[self.rows_])
        self.model_ = fit_by_persons(clone(self.estimator), *part)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probabilities (N, K), those of classes of equal size."""
        return np.asarray(self.model_.predict_proba(X), dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the labels (N,)."""
        return np.asarray(self.model_.predict(X))
