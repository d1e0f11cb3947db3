"""A scikit-learn pipeline that passes the persons on, so that inner folds can keep them apart."""

from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter


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
