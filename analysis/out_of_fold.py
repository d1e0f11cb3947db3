"""Out-of-fold predictions of estimators: fitted on training persons, thresholds from validation."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from sklearn.base import clone

from analysis.step_data import Material
from biomarkers.estimators.grouped_pipeline import fit_by_persons
from datamodules.manifests.identity import person_keys
from datamodules.schema import IDS
from datamodules.splits.partition import Split
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
    """Predictions for the persons of each fold's test part, by a copy fitted on its training part.

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
    parts = []
    for number, (own, rows) in enumerate(fitted_folds(model, reads, inputs, table, splits, head=head)):
        val, test = (
            _predicted(own, inputs.rows(reads, rows[part]), table.iloc[rows[part]], part, head)
            for part in ("val", "test")
        )
        tested = decided(val, test) if head == "binary" else test
        parts.append(tested.assign(fold=number))
    return pd.concat(parts, ignore_index=True)


def fitted_folds(
    model: Any,
    reads: Reads,
    inputs: Inputs,
    table: pd.DataFrame,
    splits: Sequence[Split],
    *,
    head: Head = "binary",
) -> Iterator[tuple[Any, dict[str, list[int]]]]:
    """A copy of the model fitted on the training part of each fold, and the rows of the fold's parts.

    Recordings without a label or score are not fitted; the other arguments are those of `out_of_fold`.
    """
    place = {recording: row for row, recording in enumerate(table["recording_id"])}
    persons, target = np.array(person_keys(table)), table[head].to_numpy(dtype=np.float64)
    for number, split in enumerate(splits):
        rows = {part: [place[name] for name in getattr(split, part)] for part in ("train", "val", "test")}
        fit = [row for row in rows["train"] if np.isfinite(target[row])]
        # a copy: whatever a model has learned of one fold's persons must not reach the next fold
        own = clone(model)
        known = target[fit].astype(int) if head == "binary" else target[fit]
        fit_by_persons(own, inputs.rows(reads, fit), known, persons[fit])
        _log.info("fold %d of %d: fitted on %d recordings", number + 1, len(splits), len(fit))
        yield own, rows


def decided(val: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """The test table with the `threshold` that validation chose, .5 where it could not, and `decision`."""
    # never on the test part: a threshold that has seen it makes accuracies that no new person reaches
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
    target, prediction = rows[head].to_numpy(dtype=np.float64), np.asarray(values, dtype=np.float64)
    numbers = {f"{head}_target": target, f"{head}_prediction": prediction}
    return rows[[*IDS]].reset_index(drop=True).assign(split=part, **numbers)
