"""Baselines reported beside every result: constant, identity look-up, nuisance-only, traits-only.

- constant: the mean score and the prevalence of the training recordings.
- identity: what the training recordings of the *same person* had, where a split shares persons at all.
- nuisance: ridge and logistic regression on how the video was made (duration, brightness, place and size of
  the face, share of usable frames, frame rate, frame size), fitted on training recordings.
- traits: the same on the Big Five, where the manifest has them.

Each, and each line of `earlier_scores` and `series_lines`, becomes a recording table of the test split, is
summarized as the model is and is compared with it, model minus baseline.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from datamodules.schema import UNKNOWN
from evaluation.baselines.linear_probe import WIDE_PENALTIES, linear_reading, penalty_folds
from evaluation.baselines.reference import Array, Line, Reference, labels_of, recording_table, training_mean
from evaluation.summary import Summary, summarize
from evaluation.tables.predictions import HEADS
from evaluation.uncertainty.table_estimates import paired_differences
from evaluation.uncertainty.threshold import choose_threshold

_log = logging.getLogger(__name__)

NUISANCE = (
    "duration_s", "n_frames", "fps", "brightness", "border", "blur", "face_x", "face_y", "face_size",
    "yaw", "pitch", "roll", "usable", "width", "height",
)  # fmt: skip


def constant(train: pd.DataFrame, rows: pd.DataFrame, *, heads: tuple[str, ...]) -> Reference:
    """The training mean of each target, for every recording.

    Args:
        train: manifest rows of the training recordings.
        rows: manifest rows to predict.
        heads: targets to predict, of `score, binary, band`.
    """
    values = {head: np.full(len(rows), training_mean(train, head)) for head in heads}
    told = {"prediction": training_mean(train, "score")} if "score" in heads else {}
    return Reference("constant", recording_table(rows, values), told=told)


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
        values[head] = np.where(np.isnan(looked_up), training_mean(train, head), looked_up)
    note = f"{int(shared.sum())} of {len(rows)} recordings show a person who is among the training recordings"
    return Reference("identity", recording_table(rows, values), told={"note": note})


def nuisance(train: pd.DataFrame, rows: pd.DataFrame, *, heads: tuple[str, ...]) -> Reference:
    """Linear models on the technical columns of the manifest that vary among the training recordings.

    Missing values take the training median. The penalties are scikit-learn's defaults on standardized
    columns. Scores beyond all of training, where a line runs on, are held to the nearest one.

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
        y = labels_of(train, head)
        known = np.isfinite(y)
        if np.unique(y[known]).size < 2:
            values[head] = np.full(len(rows), training_mean(train, head))
        else:
            values[head] = _fit_predict(x_train[known], y[known], x, binary=head == "binary")
    return Reference("nuisance", recording_table(rows, values), told={"columns": list(columns)})


def traits(train: pd.DataFrame, rows: pd.DataFrame, *, heads: tuple[str, ...]) -> Reference:
    """Linear models on the Big Five, where the manifest has them.

    Penalties are chosen within the training persons, and missing values take the training median. Scores
    beyond all of training are held to the nearest one.

    Args:
        train: manifest rows of the training recordings.
        rows: manifest rows to predict.
        heads: targets to predict.
    """
    columns = [name for name in map(str, train) if name.startswith("trait_") and train[name].nunique() > 1]
    if not columns:
        return Reference("traits", reason="no column trait_O to trait_N varies among the training recordings")
    given = [t[columns].to_numpy(dtype=np.float64, na_value=np.nan) for t in (train, rows)]
    fill = SimpleImputer(strategy="median").fit(given[0])
    x_train, x = map(fill.transform, given)
    values = {}
    for head in heads:
        y = labels_of(train, head)
        how: Literal["score", "binary"] = "binary" if head == "binary" else "score"
        known = np.isfinite(y)
        persons = train.loc[known, "subject_id"]
        if np.unique(y[known]).size < 2 or not penalty_folds(how, y[known], persons):
            values[head] = np.full(len(rows), training_mean(train, head))
        else:
            read = linear_reading(how, x_train[known], y[known], persons, x, penalties=WIDE_PENALTIES)
            values[head] = read if head == "binary" else np.clip(read, y[known].min(), y[known].max())
    return Reference("traits", recording_table(rows, values), told={"columns": columns})


LINES: tuple[Line, ...] = (constant, identity, nuisance, traits)
"""Lines that need nothing but manifest rows."""


def reference_lines(
    train: pd.DataFrame,
    val: pd.DataFrame | None,
    test: pd.DataFrame,
    model: pd.DataFrame,
    *,
    threshold: float | None,
    simple: Sequence[Line] = LINES,
    further: Sequence[Line] = (),
    heads: Sequence[str] | None = None,
    families: Mapping[str, Mapping[str, Line] | str] | None = None,
) -> dict[str, Any]:
    """Summaries of the baselines on the test split, for `summary.metrics_json`.

    A line's decision threshold is chosen on validation, as the model's is.

    Args:
        train: manifest rows of the training recordings, with targets `score`, `binary`, `band` where known.
        val: manifest rows of the validation recordings.
        test: manifest rows of the test recordings.
        model: the model's recording table on the test split.
        threshold: the model's decision threshold.
        simple: of the lines of this file; all of them learn from training recordings.
        further: lines beside those of this file.
        heads: targets that the lines predict; where not given, those of the model that training teaches.
        families: lines with several readings by name and reading, or why there are none.

    Returns:
        `{"constant", "identity", "nuisance", "traits", ...: summary or None, "reasons": {name: why it is
        None}}`; of a family a summary each reading. A summary also holds `"difference"` (model minus line,
        paired), `"columns"` and `"note"`.
    """
    heads = told_heads(train, model) if heads is None else tuple(heads)
    test = test[test["recording_id"].astype(str).isin(set(model["recording_id"]))]

    def compared(line: Line) -> tuple[str, Summary | str]:
        tested = line(train, test, heads=heads)
        if tested.predictions is None:
            return tested.name, tested.reason or ""
        chosen = None if val is None else line(train, val, heads=heads).predictions
        own = None if chosen is None else choose_threshold(chosen).value
        summary: Summary = summarize([tested.predictions], [own], by_subject=tested.by_subject)
        summary["difference"] = paired_differences(
            [model], [tested.predictions], thresholds_a=[threshold], thresholds_b=[own]
        )
        return tested.name, {**summary, **tested.told}

    out: dict[str, Any] = {"reasons": {}}
    found: list[tuple[str, Any]] = [compared(line) for line in (*simple, *further)]
    for name, own in (families or {}).items():
        readings = own if isinstance(own, str) else {key: compared(line)[1] for key, line in own.items()}
        found.append((name, readings))
    for name, told in found:
        out[name] = None if isinstance(told, str) else told
        if isinstance(told, str):
            out["reasons"][name] = told
            _log.info("no %s reference line: %s", name, told)
    return out


def told_heads(train: pd.DataFrame, model: pd.DataFrame) -> tuple[str, ...]:
    """Heads that the model has and training recordings have labels of: what a line predicts."""
    return tuple(h for h in HEADS if h in train and train[h].notna().any() and f"{h}_prediction" in model)


def _fit_predict(x_train: Array, y: Array, x: Array, *, binary: bool) -> Array:
    last = LogisticRegression(max_iter=1000) if binary else Ridge()
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), last).fit(x_train, y)
    predicted: Array = model.predict_proba(x)[:, 1] if binary else np.clip(model.predict(x), y.min(), y.max())
    return predicted
