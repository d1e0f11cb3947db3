"""Oracles of the synthetic cohort: upper bounds from a linear reader of the true behavior.

The readers see the statistics x of a recording (`stat_*` of the cohort's truth), some also the habit h of its
person (`habit_*`), other visits, or the scores s of earlier ones:

    raw                    x_r                                      what is in the recording
    relative               x_r - h_i                                relative to the true habit: the ceiling
    enrolment              x_r - mean of x_j, all other recordings  what enrolment can know of the habit
    both                   x_r, and as enrolment
    calibrated             x_r - mean of (x_j - B s_j), earlier visits
    both + earlier scores  x_r, x_r - mean of x_j, mean and last s_j, earlier visits
    earlier scores         mean and last s_j, earlier visits: no face

B is the regression of x on s within the training persons. Each reader is a ridge-penalized linear model on
standardized features, fitted on the training recordings only. Where there is no other or earlier visit the
last four fall back on what is left: `raw`, or the training mean where no face is seen.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.visits import place_of_visits
from datamodules.schema import IDS
from evaluation.baselines.linear_probe import linear_reading, penalty_folds
from evaluation.uncertainty.bootstrap import Estimate
from evaluation.uncertainty.table_estimates import estimates

Array = NDArray[np.float64]
Rows = NDArray[np.int_]
Known = int | Literal["all"]

_HEADS: tuple[Literal["binary", "score"], ...] = ("binary", "score")
_FALLBACK = ("both", "calibrated", "both + earlier scores", "earlier scores")
WITH_SCORES = ("calibrated", "both + earlier scores", "earlier scores")
"""Oracles that know scores of earlier visits: ceilings where the protocol makes these known."""


def oracle_lines(
    truth: pd.DataFrame,
    table: pd.DataFrame,
    train: Sequence[str],
    test: Sequence[str],
    *,
    known: Known = "all",
) -> dict[str, dict[str, Estimate]]:
    """Return the metrics of every oracle on the test recordings.

    Args:
        truth: `recording_id`, `stat_<name>` and `habit_<name>` of every recording.
        table: manifest rows with `recording_id, subject_id, session_id` and the labels `score` and `binary`.
        train: recording ids to fit on.
        test: recording ids to measure on.
        known: how many first visits of a person are known with their scores; `all` is every earlier visit.

    Raises:
        ValueError: the truth lacks a recording of the manifest or has no habit for a statistic.
    """
    rows = pd.Series(np.arange(len(table)), index=table["recording_id"].astype(str))
    fit, measure = rows.loc[list(train)].to_numpy(), rows.loc[list(test)].to_numpy()
    views = oracle_views(truth, table, train=train, known=known)
    predicted: dict[str, pd.DataFrame] = {}
    for name, features in views.items():
        usable: NDArray[np.bool_] = np.all(np.isfinite(features), axis=1)
        found = _predict(features, table, fit[usable[fit]], measure[usable[measure]])
        if name in _FALLBACK:
            alone = _constant(table, fit, measure) if name == "earlier scores" else predicted["raw"]
            found = found.reindex(measure).combine_first(alone).loc[measure]
        predicted[name] = found
    return {name: estimates([found.reset_index(drop=True)]) for name, found in predicted.items()}


def oracle_views(
    truth: pd.DataFrame, table: pd.DataFrame, *, train: Sequence[str], known: Known = "all"
) -> dict[str, Array]:
    """Return what each oracle sees, `(recordings, features)` in the order of the table.

    Where a recording has no other or no earlier visit to compare with, the row is NaN.

    Args:
        truth: as for `oracle_lines`.
        table: as for `oracle_lines`.
        train: recording ids that teach what a point of the score does to the statistics.
        known: as for `oracle_lines`.
    """
    raw, habit = _truth(truth, table)
    others = raw - _others(raw, table["subject_id"])
    trained = table["recording_id"].astype(str).isin(list(train)).to_numpy()
    score = _centered(table, trained)
    effect = _within_person_effect(raw[trained], score[trained], table["subject_id"][trained])
    score = np.nan_to_num(score)[:, None]  # a visit without a score counts as the mean one
    earlier = _earlier(table, known)
    scores = np.hstack([_mean_of(earlier, score), _mean_of(_last(earlier, table), score)])
    return {
        "raw": raw,
        "relative": raw - habit,
        "enrolment": others,
        "both": np.hstack([raw, others]),
        "calibrated": raw - _mean_of(earlier, raw - score * effect),
        "both + earlier scores": np.hstack([raw, raw - _mean_of(earlier, raw), scores]),
        "earlier scores": scores,
    }


def _truth(truth: pd.DataFrame, table: pd.DataFrame) -> tuple[Array, Array]:
    """Statistics and habits of the table's recordings, each `(recordings, statistics)`."""
    truth = truth.assign(recording_id=truth["recording_id"].astype(str)).set_index("recording_id")
    ids = table["recording_id"].astype(str)
    if missing := sorted(set(ids) - set(truth.index)):
        raise ValueError(f"the truth knows nothing of recordings {missing[:5]}: generate the cohort again")
    names = [name.removeprefix("stat_") for name in map(str, truth) if name.startswith("stat_")]
    if lacking := [name for name in names if f"habit_{name}" not in truth]:
        raise ValueError(f"the truth has no habit for {lacking[:5]}: generate the cohort again")
    truth = truth.loc[ids.tolist()]
    raw = truth[[f"stat_{name}" for name in names]].to_numpy(dtype=np.float64)
    return raw, truth[[f"habit_{name}" for name in names]].to_numpy(dtype=np.float64)


def _others(features: Array, subjects: pd.Series) -> Array:
    """Mean over the other recordings of the same person; NaN where there is none."""
    groups = pd.DataFrame(features).groupby(subjects.to_numpy())
    others = (groups.transform("count") - 1).replace(0, np.nan)
    return ((groups.transform("sum") - features) / others).to_numpy(dtype=np.float64)


def _earlier(table: pd.DataFrame, known: Known) -> list[Rows]:
    """For each recording, the rows of its person's earlier known visits."""
    places = place_of_visits(table)
    limit = np.inf if known == "all" else known
    found: list[Rows] = [np.empty(0, dtype=np.int_)] * len(table)
    for own in table.groupby("subject_id", sort=False).indices.values():
        for row in own:
            found[row] = own[(places[own] < places[row]) & (places[own] < limit)]
    return found


def _last(earlier: Sequence[Rows], table: pd.DataFrame) -> list[Rows]:
    """Of the earlier rows, those of the last visit."""
    places = place_of_visits(table)
    return [rows[places[rows] == places[rows].max()] if rows.size else rows for rows in earlier]


def _mean_of(groups: Sequence[Rows], features: Array) -> Array:
    """Mean of the features over each group of rows; NaN where it is empty."""
    empty = np.full(features.shape[1], np.nan)
    return np.stack([features[rows].mean(axis=0) if rows.size else empty for rows in groups])


def _centered(table: pd.DataFrame, trained: NDArray[np.bool_]) -> Array:
    """Scores minus their training mean, NaN where there is none."""
    if "score" not in table or table["score"][trained].isna().all():
        return np.full(len(table), np.nan)
    score = table["score"].to_numpy(dtype=np.float64, na_value=np.nan)
    return score - float(np.nanmean(score[trained]))


def _within_person_effect(features: Array, score: Array, subjects: pd.Series) -> Array:
    """Slope of each feature on the score within persons, `(features,)`; 0 where no score varies."""
    scored = np.isfinite(score)
    values = pd.DataFrame(np.column_stack([score, features])[scored])
    deviations = (values - values.groupby(subjects.to_numpy()[scored]).transform("mean")).to_numpy()
    spread = float(deviations[:, 0] @ deviations[:, 0])
    if not spread:
        return np.zeros(features.shape[1])
    return np.asarray(deviations[:, 0] @ deviations[:, 1:] / spread, dtype=np.float64)


def _predict(features: Array, table: pd.DataFrame, fit: Rows, rows: Rows) -> pd.DataFrame:
    """Ids, targets and predictions of some rows of the table, under their row numbers."""
    out = table.iloc[rows][[*IDS]].set_axis(rows)
    for head in _HEADS:
        taught = _taught(table, head, fit)
        if not taught.size:
            continue
        target = table[head].to_numpy(dtype=np.float64)
        out[f"{head}_target"] = target[rows]
        out[f"{head}_prediction"] = (
            linear_reading(
                head, features[taught], target[taught], table["subject_id"].iloc[taught], features[rows]
            )
            if rows.size
            else np.empty(0)
        )
    return out


def _constant(table: pd.DataFrame, fit: Rows, rows: Rows) -> pd.DataFrame:
    """The same table with the training mean as every prediction."""
    out = table.iloc[rows][[*IDS]].set_axis(rows)
    for head in _HEADS:
        taught = _taught(table, head, fit)
        if taught.size:
            target = table[head].to_numpy(dtype=np.float64)
            out[f"{head}_target"] = target[rows]
            out[f"{head}_prediction"] = float(target[taught].mean())
    return out


def _taught(table: pd.DataFrame, head: Literal["score", "binary"], fit: Rows) -> Rows:
    """Training rows with a target; none where they are too few or too equal to learn from."""
    if head not in table or table[head].iloc[fit].nunique() < 2:
        return fit[:0]
    target = table[head].to_numpy(dtype=np.float64)
    taught: Rows = fit[np.isfinite(target[fit])]
    return taught if penalty_folds(head, target[taught], table["subject_id"].iloc[taught]) else taught[:0]
