"""One cell of the scale study: models fitted on some persons, judged as papers do and on unseen persons."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from studies.scale.material import FEATURES, Array

Labels = NDArray[np.int64]
Measured = dict[str, float]

SELECTED = "best of 20 on the test part"
_FOLDS = 5
_PENALTIES = (1.0, 10.0, 100.0, 1000.0, 10000.0)
_SUBSETS = ("", "_mean", "_std", "au")  # all, means, spreads, action units only


def models() -> dict[str, BaseEstimator]:
    """Usual settings, untuned (our choice): what a first study would run on a table of statistics."""
    return {
        "logistic regression": _scaled(LogisticRegression(max_iter=300)),
        "random forest": make_pipeline(
            SimpleImputer(), RandomForestClassifier(n_estimators=50, min_samples_leaf=3, random_state=0)
        ),
        "boosted trees": HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, random_state=0),
        "network (MLP)": _scaled(MLPClassifier((32,), max_iter=30, alpha=1e-3, random_state=0)),
    }


def measure(
    x: Array, y: Labels, unseen: tuple[Array, Labels], *, seed: int, names: tuple[str, ...]
) -> Mapping[str, Measured]:
    """AUC of models by name: `training`, `test` (one fifth), `cross_validated`, and `true` on unseen persons.

    `true` belongs to the model fitted on all of `x`, one person a row; for the selected setting, to the very
    model that was reported.

    Args:
        x: Statistics (N, F).
        y: Labels (N,).
        unseen: Statistics and labels of persons that no choice ever sees.
        seed: Of the parts.
        names: Models to fit.
    """
    parts = list(StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(x, y))
    found = {name: _judged(model, x, y, parts, unseen) for name, model in models().items() if name in names}
    return found | {SELECTED: _selected(x, y, parts[0], unseen)}


def _judged(
    model: BaseEstimator,
    x: Array,
    y: Labels,
    parts: list[tuple[Labels, Labels]],
    unseen: tuple[Array, Labels],
) -> Measured:
    held_out = np.zeros(len(y))
    for fit, test in parts:
        held_out[test] = _score(clone(model).fit(x[fit], y[fit]), x[test])
    final = clone(model).fit(x, y)
    first = parts[0][1]
    by_fold = [roc_auc_score(y[test], held_out[test]) for _, test in parts]
    return {
        "training": float(roc_auc_score(y, _score(final, x))),
        "test": float(roc_auc_score(y[first], held_out[first])),
        "cross_validated": float(np.mean(by_fold)),
        "true": float(roc_auc_score(unseen[1], _score(final, unseen[0]))),
    }


def _selected(x: Array, y: Labels, part: tuple[Labels, Labels], unseen: tuple[Array, Labels]) -> Measured:
    """The setting that does best on the test part, as it would be reported."""
    fit, test = part
    best: tuple[float, Pipeline, Labels] | None = None
    for subset in _SUBSETS:
        columns = np.array([j for j, name in enumerate(FEATURES) if _belongs(name, subset)])
        for penalty in _PENALTIES:
            model = _scaled(RidgeClassifier(alpha=penalty)).fit(x[fit][:, columns], y[fit])
            auc = float(roc_auc_score(y[test], _score(model, x[test][:, columns])))
            if best is None or auc > best[0]:
                best = auc, model, columns
    assert best is not None
    reported, model, columns = best
    return {
        "training": float(roc_auc_score(y[fit], _score(model, x[fit][:, columns]))),
        "test": reported,
        "true": float(roc_auc_score(unseen[1], _score(model, unseen[0][:, columns]))),
    }


def _belongs(name: str, subset: str) -> bool:
    return name.endswith(subset) if subset.startswith("_") else name.startswith(subset)


def _scaled(model: BaseEstimator) -> Pipeline:
    return make_pipeline(SimpleImputer(), StandardScaler(), model)


def _score(model: BaseEstimator, x: Array) -> Array:
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(x))
    return np.asarray(model.predict_proba(x)[:, 1])
