"""Out-of-fold predictions of estimators: fitted on training persons, thresholds from validation."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from sklearn.base import clone

from analysis.data import Material
from datamodules.manifests.identity import person_keys
from datamodules.schema import IDS
from datamodules.splits.protocols import Split
from evaluation.uncertainty.confidence_intervals import estimate
from evaluation.uncertainty.jackknife import leave_one_out, left_out_mean
from evaluation.uncertainty.table_estimates import estimates
from evaluation.uncertainty.threshold import choose_threshold

_log = logging.getLogger(__name__)

Reads = Literal["series", "features"]
Head = Literal["binary", "score"]


class Model(Protocol):
    """A scikit-learn estimator that may choose inside the training part, by persons.

    A classifier has `predict_proba(X) -> (N, 2)`, a regressor `predict(X) -> (N,)`.
    """

    def fit(self, X: Any, y: Any, groups: Any) -> Any:
        """Fit on recordings, targets and persons."""


class OutOfFold(Protocol):
    """Whatever predicts the persons of each fold's test part without having learned from them."""

    def out_of_fold(self, material: Material, *, name: str) -> pd.DataFrame:
        """Recording table of everybody tested, with `fold`, and the fold's `threshold` and `decision`."""


@dataclass(frozen=True)
class Inputs:
    """What estimators read, row by row of the manifest: a series each, or a row of features."""

    series: Sequence[Any]
    features: pd.DataFrame

    def rows(self, reads: Reads, rows: Sequence[int]) -> Any:
        """The recordings of some rows."""
        if reads == "series":
            return [self.series[row] for row in rows]
        return self.features.iloc[list(rows)].drop(columns=[*IDS])


def out_of_fold(
    model: Model,
    reads: Reads,
    inputs: Inputs,
    table: pd.DataFrame,
    splits: Sequence[Split],
    *,
    head: Head = "binary",
) -> pd.DataFrame:
    """Predictions for the people of each fold's test part, by a copy fitted on its training part.

    Args:
        model: Estimator; cloned for every fold.
        reads: Series, or features.
        inputs: Of all recordings.
        table: Manifest rows in the same order, with `binary` or `score`.
        splits: The folds.
        head: The label of a classifier, or the score of a regressor.

    Returns:
        Recording table with `<head>_target`, `<head>_prediction` and `fold`; for labels also the fold's own
        `threshold` and the `decision` by it.
    """
    place = {recording: row for row, recording in enumerate(table["recording_id"])}
    persons, target = np.array(person_keys(table)), table[head].to_numpy(dtype=np.float64)
    parts = []
    for number, split in enumerate(splits):
        rows = {part: [place[name] for name in getattr(split, part)] for part in ("train", "val", "test")}
        fit = [row for row in rows["train"] if np.isfinite(target[row])]
        own: Any = clone(model)
        known = target[fit].astype(int) if head == "binary" else target[fit]
        own.fit(inputs.rows(reads, fit), known, groups=persons[fit])
        val, test = (
            _predicted(own, inputs.rows(reads, rows[part]), table.iloc[rows[part]], part, head)
            for part in ("val", "test")
        )
        tested = decided(val, test) if head == "binary" else test
        parts.append(tested.assign(fold=number))
        _log.info("fold %d of %d: fitted on %d recordings", number + 1, len(splits), len(fit))
    return pd.concat(parts, ignore_index=True)


def decided(val: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """The test table with the `threshold` that validation chose, .5 where it could not, and `decision`."""
    threshold = choose_threshold(val).value
    cut = 0.5 if threshold is None else threshold
    return test.assign(threshold=cut, decision=(test["binary_prediction"] >= cut).astype(float))


def measured(predictions: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """AUC of the pooled predictions, and accuracy of the folds' decisions, with intervals over persons."""
    known = predictions[np.isfinite(predictions["binary_target"])]
    found = estimates([known])
    right = (known["decision"] == known["binary_target"]).to_numpy(dtype=np.float64)
    accuracy = estimate("accuracy", left_out_mean(right, leave_one_out(known["subject_id"])))
    return {"auc": dict(found["auc"]), "accuracy": dict(accuracy)}


def _predicted(model: Any, read: Any, rows: pd.DataFrame, part: str, head: Head) -> pd.DataFrame:
    values = model.predict_proba(read)[:, 1] if head == "binary" else model.predict(read)
    return pd.DataFrame(
        {
            "recording_id": rows["recording_id"].to_numpy(),
            "subject_id": rows["subject_id"].to_numpy(),
            "session_id": rows["session_id"].to_numpy(),
            "split": part,
            f"{head}_target": rows[head].to_numpy(dtype=np.float64),
            f"{head}_prediction": np.asarray(values, dtype=np.float64),
        }
    )
