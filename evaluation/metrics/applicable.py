"""Which metrics a table of recordings supports, and on which rows and columns.

A recording table has `recording_id, subject_id, session_id, split` and `<head>_target`, `<head>_prediction`
for the heads `score` (points), `binary` (probability) and `band` (expected band), and for items, whose names
begin with `item_` (expected answer). Rows without a target are
left out of that head's metrics and counted in the summary.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.schema import UNKNOWN
from evaluation.metrics import definitions as metrics
from evaluation.metrics import resampled as weighted
from evaluation.metrics.catalog import Kind, Metric, of_kind
from evaluation.metrics.definitions import Value
from evaluation.metrics.visit_changes import Changes, order_unknown, visit_changes
from evaluation.tables.predictions import items_of, predicted_items

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Measurement:
    """A metric bound to its rows: `rows` (N,) bool selects them, the vectors hold their values."""

    name: str
    metric: Metric
    rows: NDArray[np.bool_]
    target: Array
    prediction: Array
    undefined: str | None = None

    def value(self) -> Value:
        """The metric on the sample itself."""
        if self.undefined:
            return Value(None, self.undefined)
        found = self.metric.value(self.target, self.prediction)
        if found.value is not None and not math.isfinite(found.value):
            return Value(None, "no finite number: the values are too large or too close to each other")
        return found


class Resampler:
    """Metrics of one table under weights of its recordings, all in one pass.

    Every sum that a metric needs is a column of one matrix product, and metrics of ranks over the same
    predictions share one sorting.

    Args:
        bound: Metrics of one table; those that are undefined or have no resampled form are NaN throughout.

    Examples:
        >>> table = pd.DataFrame({"score_target": [1.0, 2.0], "score_prediction": [1.0, 5.0]})
        >>> Resampler(list(measurements(table, threshold=None)))(np.array([[1.0, 1.0], [0.0, 2.0]]))["mae"]
        array([1.5, 3. ])
    """

    def __init__(self, bound: Iterable[Measurement]) -> None:
        self._names: list[str] = []
        self._sums: list[tuple[str, Callable[..., Array], slice]] = []
        self._ranks: dict[tuple[int, int, int], tuple[Measurement, dict[str, weighted.OfRanks]]] = {}
        columns: list[Array] = []
        for m in bound:
            self._names.append(m.name)
            kernel = m.metric.resampled
            if m.undefined is not None or kernel is None:
                continue
            if isinstance(kernel, weighted.OfRanks):
                sample = (id(m.rows), id(m.target), id(m.prediction))
                self._ranks.setdefault(sample, (m, {}))[1][m.name] = kernel
            else:
                terms = np.zeros((len(m.rows), len(found := kernel.terms(m.target, m.prediction))))
                terms[m.rows] = np.stack(found, axis=1)
                start = sum(block.shape[1] for block in columns)
                self._sums.append((m.name, kernel.value, slice(start, start + len(found))))
                columns.append(terms)
        self._terms = np.concatenate(columns, axis=1) if columns else None  # (N, K)

    def __call__(self, weights: Array) -> dict[str, Array]:
        """Name -> (R,) under weights (R, N) over all rows of the table, NaN where they leave it undefined."""
        out = {name: np.full(len(weights), np.nan) for name in self._names}
        if self._terms is not None:
            sums = (weights @ self._terms).T
            out |= {name: value(*sums[columns]) for name, value, columns in self._sums}
        for sample, kernels in self._ranks.values():
            rows = np.flatnonzero(sample.rows)
            counts = weighted.cumulated(sample.target, sample.prediction, weights, rows=rows)
            out |= {name: kernel.value(*counts) for name, kernel in kernels.items()}
        return out


def measurements(recordings: pd.DataFrame, *, threshold: float | None) -> Iterator[Measurement]:
    """Yield every metric this table supports, in the order of the report.

    Ranking and decisions use the binary head, or the score where there is no binary head. Metrics of
    decisions need a threshold (in the unit of that prediction); without one they are yielded as undefined.
    """
    ranked = ranking_column(recordings)
    if ranked is not None:
        yield from _bind("rank", recordings, "binary_target", ranked)
        yield from _decisions(recordings, ranked, threshold)
    if usable(recordings, "binary_target", "binary_prediction"):
        yield from _bind("probability", recordings, "binary_target", "binary_prediction")
    if usable(recordings, "score_target", "score_prediction"):
        yield from _bind("score", recordings, "score_target", "score_prediction")
        if "subject_id" in recordings:
            yield _within(recordings)
        if {"subject_id", "session_id"} <= set(recordings):
            yield from _changes(recordings)
    if usable(recordings, "band_target", "band_prediction"):
        yield from _bind("band", recordings, "band_target", "band_prediction")
    yield from _items(recordings)


def kinds_of(heads: Iterable[str]) -> set[Kind]:
    """Kinds of metrics that predictions of these heads have, without a threshold and without persons."""
    needed: dict[Kind, set[str]]
    needed = {"rank": {"binary", "score"}, "probability": {"binary"}, "score": {"score"}, "band": {"band"}}
    names = set(heads)
    items: set[Kind] = {"item"} if items_of(names) else set()
    return {kind for kind, some in needed.items() if some & names} | items


def ranking_column(recordings: pd.DataFrame) -> str | None:
    """Column that ranks recordings for AUC and the threshold: the probability, else the score, else none."""
    for column in ("binary_prediction", "score_prediction"):
        if usable(recordings, "binary_target", column):
            return column
    return None


def subject_codes(subjects: Iterable[object]) -> NDArray[np.int64]:
    """Number the persons (N,); a recording of an unknown person is a person of its own.

    That is optimistic (unknown persons may repeat), so the report counts them and says so.
    """
    names = [str(s) if str(s) != UNKNOWN else f"{UNKNOWN}\0{i}" for i, s in enumerate(subjects)]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def labeled(recordings: pd.DataFrame, target: str) -> pd.DataFrame:
    """Rows that have a target; a prediction missing beside it is an error that the metrics raise."""
    return recordings[recordings[target].notna()]


def usable(recordings: pd.DataFrame, target: str, prediction: str) -> bool:
    """Whether a table has both columns and a recording with that target."""
    present = {target, prediction} <= set(recordings.columns)
    return present and len(labeled(recordings, target)) > 0


def _bind(kind: Kind, recordings: pd.DataFrame, target: str, prediction: str) -> Iterator[Measurement]:
    rows = recordings[target].notna().to_numpy(dtype=bool)
    y = recordings[target].to_numpy(dtype=np.float64, na_value=np.nan)[rows]
    p = recordings[prediction].to_numpy(dtype=np.float64, na_value=np.nan)[rows]
    for metric in of_kind(kind):
        yield Measurement(metric.name, metric, rows, y, p)


def _decisions(recordings: pd.DataFrame, ranked: str, threshold: float | None) -> Iterator[Measurement]:
    for bound in _bind("decision", recordings, "binary_target", ranked):
        if threshold is None:
            yield replace(bound, undefined="no decision threshold could be chosen on validation")
            continue
        decided = replace(bound, prediction=(bound.prediction >= threshold).astype(np.float64))
        yield _among_alarms(decided) if bound.name == "precision" else decided


def _among_alarms(bound: Measurement) -> Measurement:
    """The same on those who were decided positive: an interval of their share counts no other persons."""
    alarms = bound.prediction == 1
    if not alarms.any():
        return replace(bound, undefined=metrics.NO_ALARM)
    rows = bound.rows.copy()
    rows[bound.rows] = alarms
    return replace(bound, rows=rows, target=bound.target[alarms], prediction=bound.prediction[alarms])


def _items(recordings: pd.DataFrame) -> Iterator[Measurement]:
    """Answers to all items that are predicted, on the recordings that answer any of them."""
    items = [name for name in predicted_items(recordings) if f"{name}_target" in recordings]
    y, p = (
        recordings[[f"{name}_{side}" for name in items]].to_numpy(dtype=np.float64, na_value=np.nan)
        for side in ("target", "prediction")
    )
    rows = np.isfinite(y).any(axis=1)
    if not rows.any():
        return
    for metric in of_kind("item"):
        yield Measurement(metric.name, metric, rows, y[rows], p[rows])


def _within(recordings: pd.DataFrame) -> Measurement:
    """Correlation within persons: resampling whole persons leaves their means alone, so center once."""
    (bound,) = _bind("within", recordings, "score_target", "score_prediction")
    codes = np.unique(subject_codes(recordings["subject_id"])[bound.rows], return_inverse=True)[1]
    reason = metrics.pearson_within(bound.target, bound.prediction, codes).reason
    return replace(
        bound,
        target=metrics.center_within(bound.target, codes),
        prediction=metrics.center_within(bound.prediction, codes),
        undefined=reason,
    )


def _changes(recordings: pd.DataFrame) -> Iterator[Measurement]:
    """Predicted against true change between the visits of a person, where anybody has two."""
    reason = order_unknown(recordings)
    nothing, nobody = np.zeros(0), np.zeros(len(recordings), dtype=np.bool_)
    found = Changes(nobody, nothing, nothing, nobody) if reason else visit_changes(recordings)
    if found is None:
        return
    for metric in of_kind("change"):
        yield Measurement(metric.name, metric, found.rows, found.target, found.prediction, reason)
    if not found.banded.any():
        return
    rows = found.rows.copy()
    rows[found.rows] = found.banded
    rose = (found.target[found.banded] > 0).astype(np.float64)
    step = found.prediction[found.banded]
    said = np.where(step == 0, 1 - rose, step > 0)  # no change is no direction, hence wrong
    for metric in of_kind("direction"):
        yield Measurement(metric.name, metric, rows, rose, said)
