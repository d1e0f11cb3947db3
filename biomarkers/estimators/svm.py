"""Support vector machines for thousands of rows, whose margins are squashed to probabilities."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.kernel_approximation import Nystroem
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

Array = NDArray[np.float64]

LANDMARKS = 500  # our choice: the exact kernel machine takes ten times as long on 9,000 rows and is no better
_PENALTY = 0.01  # sklearn's C, our choice: classes that hardly differ ask for a strong penalty
_ITERATIONS = 10_000


class _Margin(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """What both share: two classes of equal weight, and margins d squashed by 1 / (1 + exp(-2 d)).

    As in `RidgeReader`, the squash keeps every rank, which is what AUC needs, and is not calibrated; the
    inner folds by which scikit-learn calibrates know no persons.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit features (N, F), of similar scale, and labels (N,) of two classes.

        Raises:
            ValueError: There are other than two classes.
        """
        x = np.asarray(X, dtype=np.float64)
        self.classes_ = np.unique(y)
        if self.classes_.size != 2:
            raise ValueError(f"a margin parts two classes; the training rows have {self.classes_.size}")
        self.model_ = self._machine(x).fit(x, y)
        return self

    def _machine(self, x: Array) -> Any:
        raise NotImplementedError

    def decision_function(self, X: ArrayLike) -> Array:
        """Return the margins (N,)."""
        return np.asarray(self.model_.decision_function(np.asarray(X, dtype=np.float64)))

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return squashed margins (N, 2)."""
        positive = np.asarray(expit(2 * self.decision_function(X)))
        return np.stack([1 - positive, positive], axis=1)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the labels (N,)."""
        return np.asarray(self.classes_[(self.decision_function(X) > 0).astype(int)])


class LinearSvm(_Margin):
    """Linear machine, squared hinge loss, solved in the primal.

    Args:
        penalty: sklearn's `C`.
    """

    def __init__(self, *, penalty: float = _PENALTY) -> None:
        self.penalty = penalty

    def _machine(self, x: Array) -> Any:
        return LinearSVC(C=self.penalty, class_weight="balanced", dual=False, max_iter=_ITERATIONS)


class RbfSvm(_Margin):
    """Machine of the kernel exp(-gamma |x - x'|^2), approximated on landmarks (Williams & Seeger 2001).

    `gamma` is the inverse of the number of features times their variance, the default of `sklearn.svm.SVC`.

    Args:
        penalty: sklearn's `C`.
        landmarks: Training rows that span the features of the kernel, at most as many as there are rows.
        seed: Of the landmarks.
    """

    def __init__(self, *, penalty: float = 10 * _PENALTY, landmarks: int = LANDMARKS, seed: int = 0) -> None:
        self.penalty = penalty
        self.landmarks = landmarks
        self.seed = seed

    def _machine(self, x: Array) -> Any:
        gamma = 1 / (x.shape[1] * max(float(x.var()), np.finfo(float).tiny))
        kernel = Nystroem(gamma=gamma, n_components=min(self.landmarks, len(x)), random_state=self.seed)
        machine = LinearSVC(C=self.penalty, class_weight="balanced", dual=False, max_iter=_ITERATIONS)
        return make_pipeline(kernel, machine)
