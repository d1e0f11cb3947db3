"""Linear models (ridge, logistic) whose penalty is chosen by person-disjoint inner cross-validation."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.linear_model import LogisticRegressionCV, RidgeClassifierCV, RidgeCV
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelBinarizer

Array = NDArray[np.float64]
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]

ALPHAS = tuple(np.logspace(-3, 3, 10))  # Dempster et al. 2020, arXiv 1910.13051, section 3.3
FOLDS = 5  # our choice


def person_folds(y: ArrayLike, groups: ArrayLike, *, folds: int = FOLDS, classes: bool) -> list[Fold]:
    """Inner folds without a person on both sides, at most one a person.

    Args:
        y: Targets (N,).
        groups: Person of each row (N,).
        folds: How many, fewer where there are fewer persons.
        classes: Balance the classes, and leave out a fold whose training part lacks one.

    Raises:
        ValueError: No fold is left.
    """
    target, persons = np.asarray(y), np.asarray(groups)
    count = min(folds, np.unique(persons).size)
    if count < 2:
        raise ValueError(f"{count} person in the training rows: choosing a penalty takes two or more")
    if not classes:
        return list(GroupKFold(count).split(target, groups=persons))
    rarest = min(np.unique(persons[target == label]).size for label in np.unique(target))
    splitter = StratifiedGroupKFold(max(2, min(count, rarest)))
    everyone = np.unique(target).size
    split = [
        (fit, held)
        for fit, held in splitter.split(target, target, persons)
        if np.unique(target[fit]).size == everyone and held.size
    ]
    if not split:
        raise ValueError(
            "no inner fold has every class in its training part: a class belongs to a single person; "
            "use larger training folds"
        )
    return split


class TrainingSpan(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Rotate features (N, D) into the span of the N training rows where D is larger.

    A squared penalty leaves the weights in that span (Kimeldorf & Wahba 1971), so nothing changes but the
    time: N columns instead of the 20,000 of ROCKET.
    """

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Find an orthonormal basis (D, N) of the training rows."""
        x = np.asarray(X, dtype=np.float64)
        self.basis_ = None if x.shape[1] <= x.shape[0] else np.linalg.svd(x, full_matrices=False)[2].T
        return self

    def transform(self, X: ArrayLike) -> Array:
        """Return the features in that basis."""
        x = np.asarray(X, dtype=np.float64)
        return x if self.basis_ is None else x @ self.basis_


class _Penalized(BaseEstimator):  # type: ignore[misc]
    """A linear model whose penalty is chosen by inner folds over persons.

    Args:
        alphas: Penalties to choose from: that of the squared weights, the inverse of sklearn's `C`.
        folds: Inner folds.
    """

    def __init__(self, *, alphas: Sequence[float] = ALPHAS, folds: int = FOLDS) -> None:
        self.alphas = alphas
        self.folds = folds

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the labels or the scores (N,)."""
        return np.asarray(self.reader_.predict(X))


class RidgeReader(ClassifierMixin, _Penalized):  # type: ignore[misc]
    """RidgeClassifierCV: least squares on targets of -1 and 1, penalty by the squared error of those.

    `predict_proba` squashes the decisions d by softmax(d), 1 / (1 + exp(-2 d)) of two classes. It agrees with
    the least-squares probability (1 + d) / 2 around d = 0, never leaves [0, 1] and keeps every rank, which is
    what AUC needs; it is not calibrated.
    """

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike) -> Self:
        """Choose the penalty over persons (N,), then fit features (N, D) and labels (N,)."""
        folds = person_folds(y, groups, folds=self.folds, classes=True)
        reader = RidgeClassifierCV(alphas=self.alphas, cv=folds, scoring=_squared_error)
        self.reader_ = make_pipeline(TrainingSpan(), reader).fit(X, y)
        self.alpha_ = float(reader.alpha_)
        self.classes_ = self.reader_.classes_
        return self

    def decision_function(self, X: ArrayLike) -> Array:
        """Return the decisions: (N,) of two classes, else (N, K)."""
        return np.asarray(self.reader_.decision_function(X), dtype=np.float64)

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return squashed decisions (N, K), rows summing to 1."""
        decisions = self.decision_function(X)
        both = np.stack([-decisions, decisions], axis=1) if decisions.ndim == 1 else decisions
        return np.asarray(softmax(both, axis=1), dtype=np.float64)


class LogisticReader(ClassifierMixin, _Penalized):  # type: ignore[misc]
    """LogisticRegressionCV with a squared penalty, chosen by the log loss."""

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike) -> Self:
        """Choose the penalty over persons (N,), then fit features (N, D) and labels (N,)."""
        reader = LogisticRegressionCV(
            Cs=1 / np.asarray(self.alphas),
            cv=person_folds(y, groups, folds=self.folds, classes=True),
            scoring="neg_log_loss",
            l1_ratios=(0.0,),
            use_legacy_attributes=False,
            solver="newton-cholesky",  # lbfgs stops up to .06 of a probability before the optimum here
            tol=1e-8,
        )
        self.reader_ = make_pipeline(TrainingSpan(), reader).fit(X, y)
        self.alpha_ = 1 / float(reader.C_)
        self.classes_ = self.reader_.classes_
        return self

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the probabilities (N, K)."""
        return np.asarray(self.reader_.predict_proba(X), dtype=np.float64)


class RidgeRegressor(RegressorMixin, _Penalized):  # type: ignore[misc]
    """RidgeCV for scores, penalty by the squared error."""

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike) -> Self:
        """Choose the penalty over persons (N,), then fit features (N, D) and scores (N,)."""
        folds = person_folds(y, groups, folds=self.folds, classes=False)
        reader = RidgeCV(alphas=self.alphas, cv=folds, scoring="neg_mean_squared_error")
        self.reader_ = make_pipeline(TrainingSpan(), reader).fit(X, y)
        self.alpha_ = float(reader.alpha_)
        return self


def _squared_error(model: Any, x: Array, y: ArrayLike) -> float:
    """The error a ridge classifier minimizes: accuracy moves in steps of one person."""
    coded = LabelBinarizer(neg_label=-1).fit(model.classes_).transform(y)
    errors = (coded - model.decision_function(x).reshape(coded.shape)) ** 2
    return -float(errors.mean(axis=1).mean())
