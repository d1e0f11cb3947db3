"""Cells of the trial: results of our protocol and of the published recipe, factor by factor."""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from analysis.out_of_fold import Inputs, out_of_fold
from biomarkers.symptoms.discrepancy import SymptomDiscrepancy
from biomarkers.symptoms.outlier_subjects import keep
from biomarkers.symptoms.training_filter import TrainingFilter
from datamodules.feature_leakage.repeated_answers import check_features
from datamodules.manifests.questionnaires import subscale
from datamodules.schema import IDS
from datamodules.splits.protocols import Holdout
from evaluation.metrics.definitions import auc
from studies.discrepancy.cohort import ITEMS, SCALE, Cohort

Array = NDArray[np.float64]

SHARES = (0.1, 0.2, 0.3)  # the published thresholds
OURS, RECIPE, INSIDE = "ours", "recipe", "recipe, fitted inside"
METRICS = ("f1", "uar", "auc")
_FOLDS = 5  # of the recipe; the scripts use 5 and 10


class Reader(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Imputation, scaling and a classifier, fitted together; decisions are turned into probabilities.

    `prepared` features are imputed and scaled already: to scale components again would whiten them.
    """

    def __init__(self, estimator: Any, components: float | None = None, prepared: bool = False) -> None:
        self.estimator = estimator
        self.components = components
        self.prepared = prepared

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit on recordings and targets."""
        steps: list[Any] = [] if self.prepared else [SimpleImputer(strategy="median"), StandardScaler()]
        if self.components is not None:
            steps.append(PCA(self.components, svd_solver="full"))
        self.pipeline_ = make_pipeline(*steps, clone(self.estimator)).fit(X, y)
        return self

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, (N, 2); for a margin its logistic function, 0.5 at the boundary."""
        if hasattr(self.pipeline_[-1], "predict_proba"):
            return np.asarray(self.pipeline_.predict_proba(X))
        positive = expit(self.pipeline_.decision_function(X))
        return np.stack([1 - positive, positive], axis=1)


def models(seed: int) -> dict[str, Any]:
    """Classifiers with class weights in place of persons thrown away."""
    return {
        "random forest": RandomForestClassifier(
            60, min_samples_leaf=5, max_samples=0.5, class_weight="balanced", random_state=seed
        ),
        "SVM": SVC(class_weight="balanced"),
        "logistic": LogisticRegression(C=0.01, class_weight="balanced", max_iter=1000),
    }


def cells(cohort: Cohort, *, seed: int) -> Iterator[dict[str, Any]]:
    """A row per procedure, leak, filter, model and tested part; see `measured` for its numbers."""
    for leak in (False, True):
        features = _with_items(cohort, leak)
        for name, model in models(seed).items():
            ids = {"model": name, "leak": leak}
            yield from (ids | row for row in _ours(cohort, features, model, seed=seed))
            yield from (ids | row for row in _recipe(cohort, features, model, leak=leak, seed=seed))


def measured(target: Array, probability: Array, decision: Array) -> dict[str, float]:
    """AUC, and F1 as it would be if half of those tested were positive.

    F1 rises with prevalence. From sensitivity t and false alarms f it is 2 t / (1 + t + f) at a prevalence of
    one half, where a coin has .50 and the answer "everybody" .67.
    """
    hit, alarm = (float(decision[target == side].mean()) for side in (1, 0))
    return {
        "f1": 2 * hit / (1 + hit + alarm) if hit + alarm else 0.0,
        "uar": (hit + 1 - alarm) / 2,
        "auc": auc(target, probability).value or float("nan"),
        "sensitivity": hit,
        "specificity": 1 - alarm,
        "tested": len(target),
        "prevalence": float(target.mean()),
    }


def _ours(cohort: Cohort, features: pd.DataFrame, model: Any, *, seed: int) -> Iterator[dict[str, Any]]:
    """Holdout over persons, all fitted on training persons, threshold from validation, test set whole."""
    table = cohort.manifest.table
    (whole,) = Holdout(val=0.15, test=0.3, seed=seed).splits(cohort.manifest)
    for share in (0.0, *SHARES):
        split = TrainingFilter(scale=SCALE, share=share)(cohort.manifest, whole) if share else whole
        tested = out_of_fold(Reader(model), "features", Inputs([], features), table, [split])
        ids = {"procedure": OURS, "train_share": share}
        target, probability, decision = (
            tested[name].to_numpy() for name in ("binary_target", "binary_prediction", "decision")
        )
        parts = {("all", 0.0): np.ones(len(tested), dtype=bool)}
        for other in SHARES if share == 0.0 else (share,):  # never deployable: it needs the answers
            near = _near(table, whole.train, tested["recording_id"], other)
            parts |= {("retained", other): near, ("removed", other): ~near}
        for (part, test_share), rows in parts.items():
            if len(set(target[rows])) == 2:
                numbers = measured(target[rows], probability[rows], decision[rows])
                yield ids | {"test_share": test_share, "part": part} | numbers


def _near(table: pd.DataFrame, train: Any, tested: Any, share: float) -> NDArray[np.bool_]:
    """Whom a test filter of the same kind would keep, by training centroids where there are any."""
    items = table.set_index("recording_id")[list(subscale(SCALE).columns)]
    told = SymptomDiscrepancy(normalization="none").fit(items.loc[list(train)]).per_person(items.loc[tested])
    known = told["distance"].notna()
    near = np.ones(len(told), dtype=bool)
    near[known] = keep(told[known], share=share)
    return near


def _with_items(cohort: Cohort, leak: bool) -> pd.DataFrame:
    """The features that the guard passes: with the 21 items only where the leak is asked for."""
    items = cohort.manifest.table[list(ITEMS)] if leak else pd.DataFrame(index=cohort.features.index)
    features = cohort.features.join(items)
    check_features(features, cohort.manifest.table, allowed=["item_bdi2_*"] if leak else [])
    return features


def _recipe(
    cohort: Cohort, features: pd.DataFrame, model: Any, *, leak: bool, seed: int
) -> Iterator[dict[str, Any]]:
    """The published scripts: whatever they do is done to everybody, then recordings are cross-validated."""
    table = cohort.manifest.table
    x = features.drop(columns=list(IDS)).to_numpy(dtype=np.float64)
    y = table["binary"].to_numpy(dtype=np.float64)
    items = table[list(subscale(SCALE).columns)]
    discrepancy = SymptomDiscrepancy(center="global", normalization="none")
    told = discrepancy.fit(items).per_person(items)
    near = keep(told, share=SHARES[0], rule="count").to_numpy()
    every = np.ones(len(y), dtype=bool)
    for part, share, rows in (("all", 0.0, every), ("retained", 0.1, near), ("removed", 0.1, ~near)):
        for inside in (False, True) if part == "all" and not leak else (False,):
            ids = {"procedure": INSIDE if inside else RECIPE, "train_share": share, "test_share": share}
            numbers = _balanced(x[rows], y[rows], model, inside=inside, seed=seed)
            yield ids | {"part": part} | numbers


def _balanced(x: Array, y: Array, model: Any, *, inside: bool, seed: int) -> dict[str, float]:
    """Down-sampled majority, standard scores and components of everybody (or of each fold), then folds."""
    rng = np.random.default_rng(seed)
    least = int(min(y.sum(), (1 - y).sum()))
    sides = (np.flatnonzero(y == side) for side in (0, 1))
    rows = np.sort(np.concatenate([rng.choice(side, least, replace=False) for side in sides]))
    x, y = x[rows], y[rows]
    reader = Reader(model, components=0.99) if inside else Reader(model, prepared=True)
    if not inside:
        filled = StandardScaler().fit_transform(SimpleImputer(strategy="median").fit_transform(x))
        x = PCA(0.99, svd_solver="full").fit_transform(filled)
    probability = np.full(len(y), np.nan)
    for fit, held in StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(x, y):
        probability[held] = clone(reader).fit(x[fit], y[fit].astype(int)).predict_proba(x[held])[:, 1]
    return measured(y, probability, (probability >= 0.5).astype(float))
