"""Gradient-boosted trees (XGBoost; Chen & Guestrin, KDD 2016) on feature tables, stopped on new persons."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin, is_classifier
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold
from sklearn.utils.class_weight import compute_sample_weight
from xgboost import XGBClassifier, XGBRegressor

from biomarkers.estimators.grouped_pipeline import MostProbable
from datamodules.schema import IDS

Array = NDArray[np.float64]

_STOPPING_PARTS = 5  # one of five parts of the training persons says when to stop; our choice


def features(table: pd.DataFrame) -> pd.DataFrame:
    """Features of a table without its keys; a missing value stays missing.

    Raises:
        ValueError: A column is no number.
    """
    kept = table.drop(columns=[name for name in IDS if name in table])
    text = kept.columns.difference(kept.select_dtypes(["number", "bool"]).columns)
    if len(text):
        raise ValueError(f"feature '{text[0]}' is no number: code it, or leave it out of the table")
    if kept.shape[1] == 0:
        raise ValueError("the table has keys only: a model needs one feature or more")
    return kept


class _Boosting(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """What classifier and regressor share: sizes, the stopping part, and the fit on all training rows."""

    _model: type[XGBClassifier] | type[XGBRegressor]

    def __init__(
        self,
        *,
        trees: int = 500,
        depth: int = 3,
        learning_rate: float = 0.05,
        patience: int | None = 30,
        seed: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.trees = trees
        self.depth = depth
        self.learning_rate = learning_rate
        self.patience = patience
        self.seed = seed
        self.n_jobs = n_jobs

    def _boost(self, table: pd.DataFrame, y: NDArray[Any], groups: ArrayLike, weights: Array) -> None:
        """Find the number of trees on a part of the persons, then fit all training rows with as many."""
        x = features(table)
        self.features_ = list(x.columns)
        self.trees_ = self.trees
        if self.patience is not None:
            # whole persons stop the search: other recordings of a fitted person would go on improving
            fit, stop = self._stopping_part(y, groups)
            searching = self._new(self.trees, early_stopping_rounds=self.patience)
            searching.fit(
                x.iloc[fit],
                y[fit],
                sample_weight=weights[fit],
                eval_set=[(x.iloc[stop], y[stop])],
                sample_weight_eval_set=[weights[stop]],
                verbose=False,
            )
            self.trees_ = int(searching.best_iteration) + 1
        # again on everybody, with as many trees: the persons who said when to stop are worth fitting, too
        self.model_ = self._new(self.trees_).fit(x, y, sample_weight=weights)

    def _new(self, trees: int, **options: Any) -> Any:
        return self._model(
            n_estimators=trees,
            max_depth=self.depth,
            learning_rate=self.learning_rate,
            tree_method="hist",
            random_state=self.seed,
            n_jobs=self.n_jobs,
            **options,
        )

    def _stopping_part(self, y: NDArray[Any], groups: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        persons, classes = np.asarray(groups), is_classifier(self)
        splitter = StratifiedGroupKFold if classes else GroupKFold
        if np.unique(persons).size >= _STOPPING_PARTS:
            parts = splitter(_STOPPING_PARTS, shuffle=True, random_state=self.seed)
            # the first part with every class on both sides: stratified folds may miss a class of few persons
            for fit, stop in parts.split(y, y if classes else None, persons):
                if not classes or all(np.unique(y[part]).size == np.unique(y).size for part in (fit, stop)):
                    return fit, stop
        raise ValueError(
            f"{np.unique(persons).size} persons cannot be parted into {_STOPPING_PARTS} with every class on "
            "both sides: early stopping needs more, or set patience=None and choose the number of trees"
        )

    def _asked(self, table: pd.DataFrame) -> pd.DataFrame:
        missing = [name for name in self.features_ if name not in table]
        if missing:
            raise ValueError(f"the table lacks feature '{missing[0]}', which the model was fitted with")
        return features(table[self.features_])


class BoostingClassifier(MostProbable, _Boosting):
    """Gradient-boosted trees for labels; classes weigh the same however many recordings they have.

    The number of trees is found on a fifth of the training persons, stratified, that the search does not fit;
    then all training rows are fitted with as many trees.

    Args:
        trees: At most so many.
        depth: Of a tree.
        learning_rate: Share of each tree that is added.
        patience: Trees without a gain before the search stops; None fits all of `trees`.
        seed: Of the stopping part.
        n_jobs: Threads.
    """

    _model = XGBClassifier

    def fit(self, table: pd.DataFrame, y: ArrayLike, groups: ArrayLike) -> Self:
        """Fit a feature table (N rows), labels (N,) and persons (N,)."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        if self.classes_.size < 2:
            raise ValueError(f"every training row has label {self.classes_[0]}: a classifier needs two")
        self._boost(table, codes, groups, compute_sample_weight("balanced", codes))
        return self

    def predict_proba(self, table: pd.DataFrame) -> Array:
        """Return the probabilities (N, K), those of classes that weigh the same."""
        return np.asarray(self.model_.predict_proba(self._asked(table)), dtype=np.float64)


class BoostingRegressor(RegressorMixin, _Boosting):  # type: ignore[misc]
    """Gradient-boosted trees for scores, by the squared error; as `BoostingClassifier` otherwise."""

    _model = XGBRegressor

    def fit(self, table: pd.DataFrame, y: ArrayLike, groups: ArrayLike) -> Self:
        """Fit a feature table (N rows), scores (N,) and persons (N,)."""
        score = np.asarray(y, dtype=np.float64)
        self._boost(table, score, groups, np.ones(len(score)))
        return self

    def predict(self, table: pd.DataFrame) -> Array:
        """Return the scores (N,)."""
        return np.asarray(self.model_.predict(self._asked(table)), dtype=np.float64)
