"""Reference lines without a face: what the person scored before, where a protocol lets a method know it.

A score is answered as it is. A class is answered by its monotone reading: a logistic regression on the
earlier score, fitted on the earlier scores of training persons. One that falls is no reading of a score, and
becomes the share of positives. A severity band is read by a straight line in the same way. Where nobody
trained, as on the table of another study, only the score is answered, and ranks persons by itself.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression

from evaluation.baselines.other_visits import earlier_scores
from evaluation.baselines.reference import Array, Reference, labels_of, recording_table, training_mean

_WEAK = 1e6  # inverse penalty: one feature needs none


def last_score(
    table: pd.DataFrame,
    train: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    heads: Sequence[str],
    mean: float | None = None,
) -> Reference:
    """The person's last earlier score; who has none gets the training mean.

    Args:
        table: all manifest rows, with the columns of `other_visits`.
        train: rows that train, of this table.
        rows: rows to predict, of this table.
        heads: targets to predict.
        mean: of scores, in place of the training mean where nobody trains; NaN where none is known.
    """
    return _line("last_score", earlier_scores(table)[0], table, train, rows, heads, mean)


def mean_score(
    table: pd.DataFrame,
    train: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    heads: Sequence[str],
    mean: float | None = None,
) -> Reference:
    """The mean of the person's earlier scores, each visit once; see `last_score`."""
    return _line("mean_score", earlier_scores(table)[1], table, train, rows, heads, mean)


def _line(
    name: str,
    earlier: Array,
    table: pd.DataFrame,
    train: pd.DataFrame,
    rows: pd.DataFrame,
    heads: Sequence[str],
    mean: float | None,
) -> Reference:
    found = pd.Series(earlier, index=table["recording_id"].astype(str))
    learned, asked = _of(train, found), _of(rows, found)
    known = np.asarray(np.isfinite(asked))
    if not known.any():
        return Reference(name, reason="no score of an earlier visit of these persons is known")
    lacking = int((~known).sum())
    if lacking and mean is not None and np.isnan(mean):
        reason = f"{lacking} of {len(rows)} recordings have no earlier score, and no mean is known for them"
        return Reference(name, reason=reason)
    values = {}
    for head in heads:
        otherwise = training_mean(train, head) if mean is None else mean
        values[head] = np.full(len(rows), otherwise)
        values[head][known] = (
            asked[known]
            if head == "score"
            else _read(head, learned, labels_of(train, head), asked[known], training_mean(train, head))
        )
    note = f"{int(known.sum())} of {len(rows)} recordings have an earlier visit whose score is known"
    return Reference(name, recording_table(rows, values), told={"note": note})


def _of(rows: pd.DataFrame, found: "pd.Series[float]") -> Array:
    return np.asarray(found.loc[rows["recording_id"].astype(str).tolist()], dtype=np.float64)


def _read(head: str, earlier: Array, target: Array, asked: Array, mean: float) -> Array:
    """What training persons of such an earlier score were."""
    taught = np.isfinite(earlier) & np.isfinite(target)
    flat = np.full(len(asked), mean)
    if taught.sum() < 2 or np.unique(target[taught]).size < 2:
        return flat
    model = LogisticRegression(C=_WEAK) if head == "binary" else LinearRegression()
    center, spread = earlier[taught].mean(), earlier[taught].std() or 1.0
    model.fit((earlier[taught, None] - center) / spread, target[taught])
    if np.ravel(model.coef_)[0] <= 0:
        return flat
    x = (asked[:, None] - center) / spread
    return np.asarray(model.predict_proba(x)[:, 1] if head == "binary" else model.predict(x))
