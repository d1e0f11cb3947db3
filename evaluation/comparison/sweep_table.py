"""Validation predictions of all trials of a sweep as one table, bound to the metric that chooses among them.

The table has a row for every recording of every trained model: `trial, seed, subject_id, recording_id,
target, prediction`. All trials predict the same recordings; how many seeds a trial has is free. Letters: `N`
recordings, `K` trials, `M` trained models, one a trial and seed.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.metrics.applicable import Measurement, subject_codes
from evaluation.metrics.catalog import METRICS, Metric
from evaluation.tables.pairing import some

COLUMNS = ("trial", "seed", "subject_id", "recording_id", "target", "prediction")
_KINDS = ("rank", "probability", "score", "band")  # metrics of a target and a prediction alone


@dataclass(frozen=True)
class SweepTable:
    """The trained models of a sweep on the same recordings.

    Attributes:
        metric: What chooses among the trials.
        trials: Names (K,) of those that have a value.
        models: The metric bound to each trained model (M,), those of a trial one after another.
        trial_of: Number (M,) of each model's trial.
        persons: Number (N,) of each recording's person, from 0.
        absent: Why a trial has no value, by its name.
    """

    metric: Metric
    trials: tuple[Hashable, ...]
    models: tuple[Measurement, ...]
    trial_of: NDArray[np.int64]
    persons: NDArray[np.int64]
    absent: Mapping[Hashable, str]


def read_sweep(table: pd.DataFrame, metric: str) -> SweepTable:
    """Bind the metric to every trained model; recordings without a target are left out.

    A trial of which a prediction is missing or not finite, or for which the metric is not defined, is named
    in `absent` with the reason: leaving out its bad seed would flatter it.

    Args:
        table: One row a trial, seed and recording.
        metric: Name in `evaluation.metrics.catalog`, of a target and a prediction: `auc`, `mae`, `ccc`, ...

    Raises:
        ValueError: Columns are missing, no recording has a target, a row is there twice, trials disagree on
            the person or target of a recording, or the metric needs more than these columns.
    """
    if missing := [name for name in COLUMNS if name not in table]:
        raise ValueError(f"the table lacks {missing}: it needs {', '.join(COLUMNS)}")
    record = METRICS.get(metric)
    if record is None or record.kind not in _KINDS or record.resampled is None:
        known = [name for name, one in METRICS.items() if one.kind in _KINDS and one.resampled]
        raise ValueError(f"metric={metric!r} cannot rank trials by these columns; take one of {known}")
    rows = table[table["target"].notna()]
    if rows.empty:
        raise ValueError("no recording has a target: the trials of a sweep are ranked by labeled recordings")
    recordings = _recordings(rows)
    repeated = rows.duplicated(["trial", "seed", "recording_id"])
    if repeated.any():
        twice = set(rows["recording_id"][repeated].astype(str))
        raise ValueError(f"{some(twice)}: more than one row of a trial and seed")
    wide = rows.pivot(index="recording_id", columns=["trial", "seed"], values="prediction")
    wide = wide.loc[recordings.index].sort_index(axis="columns")
    return _bound(record, recordings, wide)


def _recordings(rows: pd.DataFrame) -> pd.DataFrame:
    """Person and target of each recording, once."""
    once = rows[["recording_id", "subject_id", "target"]].drop_duplicates()
    torn = once["recording_id"][once["recording_id"].duplicated()]
    if len(torn):
        raise ValueError(
            f"trials disagree on the person or the target of {some(set(torn.astype(str)))}: rank only trials "
            "that were validated on the same data"
        )
    return once.set_index("recording_id").sort_index()


def _bound(metric: Metric, recordings: pd.DataFrame, wide: pd.DataFrame) -> SweepTable:
    target = recordings["target"].to_numpy(dtype=np.float64)
    everything = np.ones(len(target), dtype=np.bool_)
    trials: list[Hashable] = []
    models: list[Measurement] = []
    trial_of: list[int] = []
    absent: dict[Hashable, str] = {}
    for trial in wide.columns.unique("trial"):
        own = [
            Measurement(f"{trial}/{seed}", metric, everything, target, prediction.to_numpy(dtype=np.float64))
            for seed, prediction in wide.loc[:, [trial]].droplevel("trial", axis="columns").items()
        ]
        reasons = [why for one in own if (why := _why_absent(one)) is not None]
        if reasons:
            absent[trial] = reasons[0]
            continue
        trial_of += [len(trials)] * len(own)
        trials.append(trial)
        models += own
    persons = subject_codes(recordings["subject_id"])
    return SweepTable(
        metric, tuple(trials), tuple(models), np.array(trial_of, dtype=np.int64), persons, absent
    )


def _why_absent(model: Measurement) -> str | None:
    bad = int((~np.isfinite(model.prediction)).sum())
    if bad:
        seed = model.name.rpartition("/")[2]
        return f"no finite prediction of {bad} of {model.prediction.size} recordings (seed {seed})"
    found = model.value()
    return (found.reason or "undefined") if found.value is None else None
