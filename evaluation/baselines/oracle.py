"""Oracles of the synthetic cohort: upper bounds from a linear reader of the true behavior series.

Three readers see the statistics of the latent series of a recording (`stat_*` of the cohort's truth):

    raw         x_r                                 what is in the recording
    relative    x_r - h_i                           relative to the person's true habit: the ceiling
    enrolment   x_r - mean of x over the person's other recordings    what enrolment can know of the habit

Each is a ridge-penalized linear model on standardized statistics, fitted on the training recordings only.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.schema import IDS
from evaluation.baselines.linear_probe import linear_reading, penalty_folds
from evaluation.uncertainty.bootstrap import Estimate
from evaluation.uncertainty.table_estimates import estimates

Array = NDArray[np.float64]


def oracle_lines(
    truth: pd.DataFrame,
    table: pd.DataFrame,
    train: Sequence[str],
    test: Sequence[str],
) -> dict[str, dict[str, Estimate]]:
    """Return the metrics of the raw, the person-relative and the enrolment oracle on the test recordings.

    Args:
        truth: `recording_id`, `stat_<name>` and `habit_<name>` of every recording.
        table: manifest rows with `recording_id, subject_id` and the labels `score` and `binary`.
        train: recording ids to fit on.
        test: recording ids to measure on.

    Raises:
        ValueError: the truth lacks a recording of the manifest or has no habit for a statistic.
    """
    views = oracle_views(truth, table)
    rows = pd.Series(np.arange(len(table)), index=table["recording_id"].astype(str))
    fit, measure = rows.loc[list(train)].to_numpy(), rows.loc[list(test)].to_numpy()
    lines = {}
    for name, features in views.items():
        usable = np.flatnonzero(np.isfinite(features).all(axis=1))
        predicted = _predict(features, table, np.intersect1d(fit, usable), np.intersect1d(measure, usable))
        lines[name] = estimates([predicted])
    return lines


def oracle_views(truth: pd.DataFrame, table: pd.DataFrame) -> dict[str, Array]:
    """Return what each oracle sees, `(recordings, statistics)` in the order of the table.

    A person with one recording has no enrolment: the row is NaN and is left out of that line.
    """
    truth = truth.assign(recording_id=truth["recording_id"].astype(str)).set_index("recording_id")
    ids = table["recording_id"].astype(str)
    if missing := sorted(set(ids) - set(truth.index)):
        raise ValueError(f"the truth knows nothing of recordings {missing[:5]}: generate the cohort again")
    names = [name.removeprefix("stat_") for name in map(str, truth) if name.startswith("stat_")]
    if lacking := [name for name in names if f"habit_{name}" not in truth]:
        raise ValueError(f"the truth has no habit for {lacking[:5]}: generate the cohort again")
    truth = truth.loc[ids.tolist()]
    raw = truth[[f"stat_{name}" for name in names]].to_numpy(dtype=np.float64)
    habit = truth[[f"habit_{name}" for name in names]].to_numpy(dtype=np.float64)
    return {"raw": raw, "relative": raw - habit, "enrolment": raw - _others(raw, table["subject_id"])}


def _others(features: Array, subjects: pd.Series) -> Array:
    """Mean over the other recordings of the same person; NaN where there is none."""
    groups = pd.DataFrame(features).groupby(subjects.to_numpy())
    others = (groups.transform("count") - 1).replace(0, np.nan)
    return ((groups.transform("sum") - features) / others).to_numpy(dtype=np.float64)


def _predict(
    features: Array, table: pd.DataFrame, fit: NDArray[np.int_], rows: NDArray[np.int_]
) -> pd.DataFrame:
    out = table.iloc[rows][[*IDS]].reset_index(drop=True)
    for head in ("binary", "score"):
        if head not in table or table[head].iloc[fit].nunique() < 2:
            continue
        target = table[head].to_numpy(dtype=np.float64)
        known = fit[np.isfinite(target[fit])]
        persons = table["subject_id"].iloc[known]
        if not penalty_folds(head, target[known], persons):
            continue
        out[f"{head}_target"] = target[rows]
        out[f"{head}_prediction"] = linear_reading(
            head, features[known], target[known], persons, features[rows]
        )
    return out
