"""Baselines reported beside every result: constant, identity look-up, nuisance-only.

- constant: the mean score and the prevalence of the training recordings.
- identity: what the training recordings of the *same person* had, where a split shares persons at all.
- nuisance: ridge and logistic regression on how the video was made (duration, brightness, place and size of
  the face, share of usable frames, frame rate, frame size), fitted on training recordings.

Each becomes a recording table of the test split, is summarized as the model is and is compared with it, model
minus baseline.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from datamodules.schema import UNKNOWN
from evaluation.summary import Summary, summarize
from evaluation.tables.predictions import HEADS
from evaluation.uncertainty.table_estimates import paired_differences
from evaluation.uncertainty.threshold import choose_threshold

_log = logging.getLogger(__name__)

Array = NDArray[np.float64]

NUISANCE = (
    "duration_s", "n_frames", "fps", "brightness", "border", "blur", "face_x", "face_y", "face_size",
    "yaw", "pitch", "roll", "usable", "width", "height",
)  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """A baseline: predictions for the recordings asked for, or the reason why there is none.

    `told` is what its summary says beside the metrics: `prediction`, the one answer of the constant line in
    points, `note` or `columns`.
    """

    name: str
    predictions: pd.DataFrame | None = None
    reason: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


def constant(train: pd.DataFrame, rows: pd.DataFrame, *, heads: tuple[str, ...]) -> Reference:
    """The training mean of each target, for every recording.

    Args:
        train: manifest rows of the training recordings.
        rows: manifest rows to predict.
        heads: targets to predict, of `score, binary, band`.
    """
    values = {head: np.full(len(rows), _mean(train, head)) for head in heads}
    told = {"prediction": _mean(train, "score")} if "score" in heads else {}
    return Reference("constant", _table(rows, values), told=told)


def identity(train: pd.DataFrame, rows: pd.DataFrame, *, heads: tuple[str, ...]) -> Reference:
    """The mean target of the same person's training recordings; strangers get the training mean.

    Args:
        train: manifest rows of the training recordings.
        rows: manifest rows to predict.
        heads: targets to predict.
    """
    known = train[train["subject_id"] != UNKNOWN]
    shared = rows["subject_id"].isin(set(known["subject_id"])).to_numpy()
    if not shared.any():
        return Reference("identity", reason="no person of this split is among the training recordings")
    means = known.groupby("subject_id")[list(heads)].mean()
    values = {}
    for head in heads:
        looked_up = means[head].reindex(rows["subject_id"]).to_numpy(dtype=np.float64)
        values[head] = np.where(np.isnan(looked_up), _mean(train, head), looked_up)
    note = f"{int(shared.sum())} of {len(rows)} recordings show a person who is among the training recordings"
    return Reference("identity", _table(rows, values), told={"note": note})


def nuisance(train: pd.DataFrame, rows: pd.DataFrame, *, heads: tuple[str, ...]) -> Reference:
    """Linear models on the technical columns of the manifest that vary among the training recordings.

    Missing values take the training median. The penalties are scikit-learn's defaults on standardized
    columns.

    Args:
        train: manifest rows of the training recordings.
        rows: manifest rows to predict.
        heads: targets to predict.
    """
    columns = tuple(c for c in NUISANCE if c in train and c in rows and train[c].nunique(dropna=True) > 1)
    if not columns:
        return Reference(
            "nuisance", reason=f"none of {', '.join(NUISANCE)} varies among the training recordings"
        )
    x_train, x = (t[list(columns)].to_numpy(dtype=np.float64, na_value=np.nan) for t in (train, rows))
    values = {}
    for head in heads:
        y = train[head].to_numpy(dtype=np.float64, na_value=np.nan)
        known = np.isfinite(y)
        if np.unique(y[known]).size < 2:
            values[head] = np.full(len(rows), _mean(train, head))
        else:
            values[head] = _fit_predict(x_train[known], y[known], x, binary=head == "binary")
    return Reference("nuisance", _table(rows, values), told={"columns": list(columns)})


def reference_lines(
    train: pd.DataFrame,
    val: pd.DataFrame | None,
    test: pd.DataFrame,
    model: pd.DataFrame,
    *,
    threshold: float | None,
) -> dict[str, Any]:
    """Summaries of the three baselines on the test split, for `summary.metrics_json`.

    A line's decision threshold is chosen on validation, as the model's is.

    Args:
        train: manifest rows of the training recordings, with targets `score`, `binary`, `band` where known.
        val: manifest rows of the validation recordings.
        test: manifest rows of the test recordings.
        model: the model's recording table on the test split.
        threshold: the model's decision threshold.

    Returns:
        `{"constant", "identity", "nuisance": summary or None, "reasons": {name: why it is None}}`. A
        summary also holds `"difference"` (model minus line, paired), `"columns"` and `"note"`.
    """
    heads = tuple(h for h in HEADS if h in train and train[h].notna().any() and f"{h}_prediction" in model)
    out: dict[str, Any] = {"reasons": {}}
    test = test[test["recording_id"].astype(str).isin(set(model["recording_id"]))]
    for line in (constant, identity, nuisance):
        tested = line(train, test, heads=heads)
        if tested.predictions is None:
            out[tested.name] = None
            out["reasons"][tested.name] = tested.reason
            _log.info("no %s reference line: %s", tested.name, tested.reason)
            continue
        chosen = None if val is None else line(train, val, heads=heads).predictions
        own = None if chosen is None else choose_threshold(chosen).value
        summary: Summary = summarize([tested.predictions], [own])
        summary["difference"] = paired_differences(
            [model], [tested.predictions], thresholds_a=[threshold], thresholds_b=[own]
        )
        out[tested.name] = {**summary, **tested.told}
    return out


def _mean(train: pd.DataFrame, head: str) -> float:
    return float(train[head].mean())


def _table(rows: pd.DataFrame, values: dict[str, Array]) -> pd.DataFrame:
    """Recording table of a reference line."""
    out = pd.DataFrame({name: rows[name].astype(str).to_numpy() for name in ("recording_id", "subject_id")})
    out["session_id"] = rows["session_id"].astype(str).to_numpy() if "session_id" in rows else ""
    out["split"] = "reference"
    for head in HEADS:
        if head in rows:
            out[f"{head}_target"] = rows[head].to_numpy(dtype=np.float64, na_value=np.nan)
        if head in values:
            out[f"{head}_prediction"] = values[head]
    return out


def _fit_predict(x_train: Array, y: Array, x: Array, *, binary: bool) -> Array:
    last = LogisticRegression(max_iter=1000) if binary else Ridge()
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), last).fit(x_train, y)
    predicted: Array = model.predict_proba(x)[:, 1] if binary else model.predict(x)
    return predicted
