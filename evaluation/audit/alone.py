"""What a predictor reaches on unseen persons that knows one fact alone: a category, or several numbers.

Predictions are made in folds of persons (stratified by label). A category is predicted by the share of
positives among the *other* folds' persons of that category, with one person of the overall share added (a
Laplace-type shrinkage), and told by the rank of that share: shares themselves differ a little from fold to
fold, against the label of whoever was left out, which would make an AUC of .5 look like .4. Numbers are
predicted by a logistic regression (scikit-learn, L2, C = 1) of standardized values.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evaluation.uncertainty.clustered_auc import clustered_auc

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

FEWEST = 5  # persons of each class, below which nothing can be said; as in the leak audit
LEVEL = 0.95
_FOLDS = 5
_SAME = 0.05  # shares of positives that differ by less are told by whoever was left out
_PIECES = 500  # of names, the most common ones; all our choice


@dataclass(frozen=True)
class Alone:
    """AUC with its interval of 95 % over persons; `corrected` is the lower end after correction, if asked."""

    value: float
    low: float
    high: float
    persons: int
    corrected: float


def enough(labels: Array, persons: Codes) -> bool:
    """Whether each class has the persons (N,) of labels 0 or 1 (N,) without which nothing can be said."""
    return all(len(np.unique(persons[labels == own])) >= FEWEST for own in (0, 1))


def measured_alone(labels: Array, scores: Array, persons: Codes, *, tail: float = 1 - LEVEL) -> Alone:
    """The AUC of scores (N,), its interval, and a lower end that the truth is below of with `tail`/2.

    Args:
        labels: 0 or 1 (N,).
        scores: Of persons that the predictor has not seen (N,).
        persons: Codes (N,).
        tail: Of the two-sided interval whose lower end is `corrected`.

    Raises:
        ValueError: A class is missing, or there is one person only.
    """
    own = clustered_auc(labels, scores, persons, level=LEVEL)
    corrected = clustered_auc(labels, scores, persons, level=1 - tail).low
    return Alone(own.value, own.low, own.high, len(np.unique(persons)), corrected)


def category_scores(values: Sequence[Any] | NDArray[Any], labels: Array, persons: Codes) -> Array:
    """Rank (N,), from 0 to 1, of the share of positives in each one's category among persons of other folds.

    Args:
        values: Categories (N,).
        labels: 0 or 1 (N,).
        persons: Codes (N,).
    """
    names, codes = np.unique(np.asarray(values, dtype=str), return_inverse=True)
    out = np.empty(len(labels))
    for train, test in _folds(labels, persons):
        share = float(
            np.mean([labels[train][persons[train] == one].mean() for one in np.unique(persons[train])])
        )
        rates = np.full(len(names), share)
        for code in np.unique(codes[train]):
            own = train[codes[train] == code]
            means = [labels[own][persons[own] == one].mean() for one in np.unique(persons[own])]
            rates[code] = (np.sum(means) + share) / (len(means) + 1)
        out[test] = _ranks(rates - share)[codes[test]]
    return out


def _ranks(above: Array) -> Array:
    """Ranks of differences (K,) from the overall share, which is .5; those above it have more, up to 1."""
    above = np.where(np.abs(above) < _SAME, 0.0, np.round(above, 9))
    steps = np.unique([*above, 0.0])
    ranks = np.searchsorted(steps, above) - np.searchsorted(steps, 0.0)
    return np.asarray(0.5 + ranks / (2 * max(len(steps) - 1, 1)), dtype=np.float64)


def regression_scores(features: Array, labels: Array, persons: Codes) -> Array:
    """Log odds (N,) of a logistic regression that was fitted to persons of other folds.

    Args:
        features: (N, D), NaN where one is missing: it becomes the median, and that it is missing counts too.
        labels: 0 or 1 (N,).
        persons: Codes (N,).
    """
    out = np.empty(len(labels))
    for train, test in _folds(labels, persons):
        model = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(max_iter=1000),
        )
        model.fit(features[train], labels[train])
        fitted = float(np.mean(model.decision_function(features[train])))
        out[test] = model.decision_function(features[test]) - fitted
    return out


def text_scores(names: Sequence[str], labels: Array, persons: Codes) -> Array:
    """Log odds (N,) of a logistic regression of which one to three letters or signs in a row a name has.

    Digits are not told apart: ids that were dealt in turn to two groups would be found by their last one,
    which is order and no word.

    Args:
        names: One a recording (N,).
        labels: 0 or 1 (N,).
        persons: Codes (N,).
    """
    texts = np.array([re.sub(r"\d", "#", name) for name in names], dtype=object)
    out = np.empty(len(labels))
    for train, test in _folds(labels, persons):
        pieces = CountVectorizer(analyzer="char", ngram_range=(1, 3), binary=True, max_features=_PIECES)
        model = make_pipeline(pieces, LogisticRegression(max_iter=1000))
        model.fit(texts[train], labels[train])
        out[test] = model.decision_function(texts[test]) - np.mean(model.decision_function(texts[train]))
    return out


def _folds(labels: Array, persons: Codes) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    least = min(len(np.unique(persons[labels == own])) for own in (0, 1))
    splitter = StratifiedGroupKFold(n_splits=max(2, min(_FOLDS, least)), shuffle=True, random_state=0)
    return list(splitter.split(np.zeros(len(labels)), labels, persons))
