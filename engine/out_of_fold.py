"""Estimators under the protocol of the networks: fitted on training people, thresholds from validation."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from datamodules.identity import person_keys
from datamodules.splits import Split
from evaluation.bootstrap import interval_of, subject_weights
from evaluation.summary import summarize
from evaluation.threshold import choose_threshold

_log = logging.getLogger(__name__)

Reads = Literal["series", "features"]


class Model(Protocol):
    """A scikit-learn estimator that may choose inside the training part, by persons."""

    def fit(self, X: Any, y: Any, groups: Any) -> Any:
        """Fit on recordings, targets and persons."""

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each class, (N, 2)."""


@dataclass(frozen=True)
class Inputs:
    """What estimators read, row by row of the manifest: a series each, or a row of features."""

    series: Sequence[Any]
    features: pd.DataFrame

    def rows(self, reads: Reads, rows: Sequence[int]) -> Any:
        """The recordings of some rows."""
        if reads == "series":
            return [self.series[row] for row in rows]
        return self.features.iloc[list(rows)].drop(columns=["recording_id", "subject_id", "session_id"])


def out_of_fold(
    model: Model, reads: Reads, inputs: Inputs, table: pd.DataFrame, splits: Sequence[Split]
) -> pd.DataFrame:
    """Predictions for the people of each fold's test part, by a copy fitted on its training part.

    Args:
        model: Estimator; cloned for every fold.
        reads: Series, or features.
        inputs: Of all recordings.
        table: Manifest rows in the same order, with `binary`.
        splits: The folds.

    Returns:
        Recording table with `binary_target`, `binary_prediction`, `decision` by the fold's own threshold,
        and `fold`.
    """
    place = {recording: row for row, recording in enumerate(table["recording_id"])}
    persons, target = np.array(person_keys(table)), table["binary"].to_numpy(dtype=np.float64)
    parts = []
    for number, split in enumerate(splits):
        rows = {part: [place[name] for name in getattr(split, part)] for part in ("train", "val", "test")}
        fit = [row for row in rows["train"] if np.isfinite(target[row])]
        own: Any = clone(model)
        own.fit(inputs.rows(reads, fit), target[fit].astype(int), groups=persons[fit])
        tables = {part: _predicted(own, reads, inputs, table, rows[part], part) for part in ("val", "test")}
        threshold = choose_threshold(tables["val"]).value
        cut = 0.5 if threshold is None else threshold
        tested = tables["test"].assign(fold=number)
        parts.append(tested.assign(decision=(tested["binary_prediction"] >= cut).astype(float)))
        _log.info("fold %d of %d: fitted on %d recordings", number + 1, len(splits), len(fit))
    return pd.concat(parts, ignore_index=True)


def measured(predictions: pd.DataFrame, *, n_boot: int, seed: int) -> dict[str, dict[str, Any]]:
    """AUC of the pooled predictions, and accuracy of the folds' decisions, with intervals over persons."""
    known = predictions[np.isfinite(predictions["binary_target"])]
    found = summarize(known, threshold=None, n_boot=n_boot, seed=seed)
    right = (known["decision"] == known["binary_target"]).to_numpy(dtype=np.float64)
    weights = np.concatenate(list(subject_weights(known["subject_id"], n_boot=n_boot, seed=seed)))
    draws = (weights * right).sum(axis=1) / weights.sum(axis=1)
    return {"auc": found["auc"], "accuracy": dict(interval_of(float(right.mean()), draws))}


def _predicted(
    model: Any, reads: Reads, inputs: Inputs, table: pd.DataFrame, rows: Sequence[int], part: str
) -> pd.DataFrame:
    own = table.iloc[list(rows)]
    return pd.DataFrame(
        {
            "recording_id": own["recording_id"].to_numpy(),
            "subject_id": own["subject_id"].to_numpy(),
            "session_id": own["session_id"].to_numpy(),
            "split": part,
            "binary_target": own["binary"].to_numpy(dtype=np.float64),
            "binary_prediction": np.asarray(model.predict_proba(inputs.rows(reads, rows)))[:, 1],
        }
    )
