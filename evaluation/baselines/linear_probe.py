"""Ridge-penalized linear probe whose penalty is chosen within the training persons."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Array = NDArray[np.float64]

_PENALTIES = np.logspace(-3, 1, 9)  # inverse strengths tried inside the training recordings; our choice
WIDE_PENALTIES = np.logspace(-6, 0, 13)  # for features that are as many as recordings, or more; our choice
_FOLDS = 5
_MAX_ITERATIONS = 1000  # the weakest penalties need more than the default
_ROUNDING = (
    1e-9  # of its size: a feature that spreads less in training was computed and is constant; our choice
)


def penalty_folds(
    head: Literal["score", "binary"], target: Array, subjects: "pd.Series[str]"
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Folds of persons that choose the penalty, rows that teach and rows that judge; none if persons are few.

    Classes are learned only where the teaching rows show both: of two persons, one of each, no fold is left.
    """
    if subjects.nunique() < 2:
        return []
    folds = list(GroupKFold(min(_FOLDS, subjects.nunique())).split(target, groups=subjects))
    return folds if head == "score" else [fold for fold in folds if np.unique(target[fold[0]]).size == 2]


def linear_reading(
    head: Literal["score", "binary"],
    train: Array,
    target: Array,
    subjects: "pd.Series[str]",
    asked: Array,
    *,
    penalties: Array = _PENALTIES,
) -> Array:
    """Score, or probability of the positive class, that a linear model predicts from features.

    Args:
        head: ridge regression for `score`, logistic regression for `binary`.
        train: features (n,D) of the training recordings.
        target: their labels (n,).
        subjects: their persons (n,): folds of the penalty's choice keep persons apart.
        asked: features (N,D) to read.
        penalties: inverse strengths to choose from.

    A feature that is constant in training but for rounding teaches nothing and is left out.
    """
    train, asked = _that_move(train, asked)
    folds = penalty_folds(head, target, subjects)
    if head == "binary":
        reader = LogisticRegressionCV(
            Cs=penalties,
            cv=folds,
            scoring=_likelihood,
            l1_ratios=(0.0,),
            use_legacy_attributes=False,
            max_iter=_MAX_ITERATIONS,
        )
        model = make_pipeline(StandardScaler(), reader).fit(train, target)
        return np.asarray(model.predict_proba(asked)[:, 1], dtype=np.float64)
    scale = StandardScaler().fit(train)
    return _ridge(scale.transform(train), target, folds, scale.transform(asked), 1 / penalties)


def _likelihood(model: LogisticRegression, x: Array, y: Array) -> float:
    """Mean log-likelihood: scikit-learn's "neg_log_loss", whose checks take longer than the fits."""
    margin = x @ np.ravel(model.coef_) + np.ravel(model.intercept_)
    return -float(np.logaddexp(0, np.where(y > 0, -margin, margin)).mean())


def _that_move(train: Array, asked: Array) -> tuple[Array, Array]:
    """The columns that vary in training; one of zeros where none does."""
    moves = train.std(axis=0) > _ROUNDING * np.abs(train).max(axis=0, initial=0.0)
    if not moves.any():
        return np.zeros((len(train), 1)), np.zeros((len(asked), 1))
    return train[:, moves], asked[:, moves]


def _ridge(
    x: Array,
    y: Array,
    folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    asked: Array,
    penalties: Array,
) -> Array:
    """Ridge regression by the penalty of the least mean squared error over folds.

    The answers are those of `RidgeCV` with these folds, of all penalties from one decomposition. R², its
    default, has no value for a fold of one recording.
    """
    error = np.zeros(len(penalties))
    for teach, judge in folds:
        answers = _answers(x[teach], y[teach], x[judge], penalties)
        error += ((answers - y[judge, None]) ** 2).mean(axis=0)
    return _answers(x, y, asked, penalties[[np.argmin(error)]])[:, 0]


def _answers(x: Array, y: Array, asked: Array, penalties: Array) -> Array:
    """Predictions (N, P) of ridge regression with an intercept, by each penalty."""
    mean, level = x.mean(axis=0), y.mean()
    u, s, vt = np.linalg.svd(x - mean, full_matrices=False)
    shrunk = s[:, None] / (s[:, None] ** 2 + penalties) * (u.T @ (y - level))[:, None]
    return np.asarray((asked - mean) @ vt.T @ shrunk + level)
