"""Scikit-learn estimators that are told the persons, so that inner folds can keep them apart."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter


class MostProbable(ClassifierMixin):  # type: ignore[misc]  # sklearn is untyped
    """A classifier with `classes_` and `predict_proba`, whose label is the most probable one."""

    classes_: NDArray[Any]
    predict_proba: Callable[[Any], NDArray[np.float64]]

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the labels (N,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


class PersonPipeline(Pipeline):  # type: ignore[misc]  # sklearn is untyped
    """A pipeline whose last step is told the persons if it asks, so that its inner folds keep them apart."""

    def fit(self, X: Any, y: ArrayLike, groups: ArrayLike) -> Self:
        """Fit every step on recordings (N), targets (N,) and persons (N,)."""
        name, last = self.steps[-1]
        super().fit(X, y, **({f"{name}__groups": groups} if has_fit_parameter(last, "groups") else {}))
        return self


def fit_by_persons(estimator: Any, x: Any, y: ArrayLike, groups: ArrayLike) -> Any:
    """Fit an estimator of recordings (N), which is told the persons (N,) if it asks for them."""
    if has_fit_parameter(estimator, "groups"):
        return estimator.fit(x, y, groups=groups)
    return estimator.fit(x, y)
