"""Reference lines on features of the series that a network reads: the recording, less other visits, and both.

    raw         x_r
    enrolment   x_r - mean of x over the person's other recordings
    both        x_r and x_r - mean of x over the person's other recordings

Each is a linear model with a squared penalty on standardized features, fitted on the training recordings; the
penalty is chosen within the training persons. A recording beside which nothing stands is read by `raw` alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from evaluation.baselines.linear_probe import WIDE_PENALTIES, linear_reading, penalty_folds
from evaluation.baselines.other_visits import mean_of_others
from evaluation.baselines.reference import Array, Line, Reference, labels_of, recording_table, training_mean

Reader = Literal["logistic", "ridge"]
_BEFORE = "beside a recording stand known visits before it alone, as for a network"


def series_lines(
    name: str,
    features: pd.DataFrame,
    table: pd.DataFrame,
    train: Sequence[str],
    asked: Sequence[str],
    *,
    heads: Sequence[str],
    earlier: bool = False,
    reader: Reader = "logistic",
) -> dict[str, Reference]:
    """The three readings of some features; `raw` alone where nobody has another recording.

    Args:
        name: of the features.
        features: a row a recording, by its id; NaN where a feature could not be measured, which takes the
            median of the training recordings.
        table: all manifest rows, with the columns of `other_visits`.
        train: recordings to learn from.
        asked: recordings to predict.
        heads: targets to predict.
        earlier: beside a recording stand known earlier visits only (see `mean_of_others`).
        reader: of classes; `ridge` is least squares on them, squashed: what ROCKET's authors fit.

    Raises:
        ValueError: a recording to predict has no features, or no training recording has any.
    """
    ids = table["recording_id"].astype(str)
    if lacking := sorted(set(map(str, asked)) - set(features.index)):
        raise ValueError(f"{name}: no features of {len(lacking)} recordings to predict, e.g. {lacking[:3]}")
    x = features.reindex(ids).to_numpy(dtype=np.float64)
    measured = ids.isin(set(features.index)).to_numpy()
    teach = ids.isin(set(map(str, train))).to_numpy() & measured
    x, filled = _filled(x, teach, measured, name)
    others = mean_of_others(x, table, train=teach, earlier=earlier)
    want = ids.isin(set(map(str, asked))).to_numpy()
    known = np.asarray(np.isfinite(others).all(axis=1))
    gaps = int((filled & want).sum())
    notes = [f"{gaps} recordings lack some features and take the training median"] if gaps else []
    raw = _predicted(x, table, teach, want, heads, reader)
    if not (known & teach).any() or not (known & want).any():
        notes.append("nobody has another recording to compare with, so that there is nothing to subtract")
        return {"raw": _reference(name, "raw", table[want], raw, notes)}
    lines = {"raw": _reference(name, "raw", table[want], raw, notes)}
    if alone := int((want & ~known).sum()):
        notes.append(f"{alone} of {int(want.sum())} recordings stand alone and are read by the raw line")
    for reading, view in (("enrolment", x - others), ("both", np.hstack([x, x - others]))):
        found = _predicted(view, table, teach & known, want & known, heads, reader)
        values = {head: raw[head].copy() for head in heads}
        for head in heads:
            values[head][known[want]] = found[head]
        told = [_BEFORE, *notes] if earlier and reading == "both" else notes
        lines[reading] = _reference(name, reading, table[want], values, told)
    return lines


def looked_up(reference: Reference) -> Line:
    """A line whose predictions are made: those of the rows that are asked for."""

    def line(train: pd.DataFrame, rows: pd.DataFrame, *, heads: Sequence[str]) -> Reference:
        made = reference.predictions
        if made is None:
            return reference
        order = made.set_index("recording_id", drop=False).loc[rows["recording_id"].astype(str).tolist()]
        return replace(reference, predictions=order.reset_index(drop=True))

    return line


def _filled(
    x: Array, teach: NDArray[np.bool_], measured: NDArray[np.bool_], name: str
) -> tuple[Array, NDArray[np.bool_]]:
    """Features with the training median in gaps, without such as no training row has; and rows with gaps."""
    if not teach.any():
        raise ValueError(f"{name}: no training recording has features")
    x = x[:, np.isfinite(x[teach]).any(axis=0)]
    gaps = ~np.isfinite(x)
    filled = np.where(gaps, np.nanmedian(x[teach], axis=0), x)
    filled[~measured] = np.nan
    return filled, gaps.any(axis=1) & measured


def _predicted(
    x: Array,
    table: pd.DataFrame,
    teach: NDArray[np.bool_],
    want: NDArray[np.bool_],
    heads: Sequence[str],
    reader: Reader,
) -> dict[str, Array]:
    """Predictions of each head for the wanted rows; the training mean where there is nothing to learn.

    Scores beyond all of training are held to the nearest one.
    """
    out = {}
    for head in heads:
        target = labels_of(table, head)
        known = teach & np.isfinite(target)
        least_squares = head != "binary" or reader == "ridge"
        how: Literal["score", "binary"] = "score" if least_squares else "binary"
        persons = table.loc[known, "person"].astype(str)
        if np.unique(target[known]).size < 2 or not penalty_folds(how, target[known], persons):
            out[head] = np.full(int(want.sum()), training_mean(table[known], head))
            continue
        read = linear_reading(how, x[known], target[known], persons, x[want], penalties=WIDE_PENALTIES)
        if head != "binary":  # of few persons a line runs on without end
            read = np.clip(read, target[known].min(), target[known].max())
        out[head] = expit(4 * read - 2) if head == "binary" and least_squares else read
    return out


def _reference(
    name: str, reading: str, rows: pd.DataFrame, values: dict[str, Array], notes: Sequence[str]
) -> Reference:
    told = {"note": "; ".join(notes)} if notes else {}
    # a person's differences to the other visits add up to zero: their mean would be rounding alone
    by_subject = reading != "enrolment"
    return Reference(f"{name} {reading}", recording_table(rows, values), told=told, by_subject=by_subject)
