"""Identity probe: does a feature tell who the person is, from one visit to another?

Multinomial logistic regression on standardized features learns the persons of a split on some of their
visits and names the person on the others. Every person's visits are dealt into two halves; each half is
named by what was learned on the other one, so that every recording is named once, on a visit that the probe
has not seen.

Where features depend on a person's other visits (an enrolment context), predict each half as if the other
half did not exist. What is left after the mean of the *other* visits is taken away sums to zero over the
person, so that halves predicted together point away from each other, and remaining identity is hidden.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from datamodules.schema import UNKNOWN
from evaluation.uncertainty.bootstrap import Estimate
from evaluation.uncertainty.confidence_intervals import estimate
from evaluation.uncertainty.jackknife import leave_one_out, left_out_mean
from evaluation.uncertainty.table_estimates import difference

Array = NDArray[np.float64]

PENALTY = 1.0  # inverse strength; one for all features, so that they are compared alike; our choice (0014)
_MAX_ITERATIONS = 1000
_MIN_PERSONS = 2


def probe_identity(
    features: Mapping[str, Array],
    recordings: pd.DataFrame,
    halves: NDArray[np.int64],
    *,
    penalty: float = PENALTY,
) -> dict[str, Any]:
    """Return how often each feature names the person on another visit.

    Args:
        features: name -> (N,D), one row a recording.
        recordings: `subject_id, session_id` of the same rows.
        halves: half of each row (N,), from `deal_visits`; -1 is left out.
        penalty: inverse strength of the L2 penalty.

    Returns:
        `accuracy` by feature and `difference` (the first feature minus each other one, paired), as estimates;
        `chance`, the best constant answer; `persons`, `recordings`; `left_out`, how many persons had one
        visit and how many recordings no known person; or `reason` instead of the numbers.

    Raises:
        ValueError: a feature has another number of rows or is not finite.
    """
    for name, values in features.items():
        _check(name, values, recordings)
    kept = halves >= 0
    known = recordings["subject_id"] != UNKNOWN
    out: dict[str, Any] = {
        "persons": int(recordings["subject_id"][kept].nunique()),
        "recordings": int(kept.sum()),
        "left_out": {
            "persons_with_one_visit": int(recordings["subject_id"][known & ~kept].nunique()),
            "recordings_of_unknown_persons": int((~known).sum()),
        },
    }
    if out["persons"] < _MIN_PERSONS:
        return out | {"reason": "fewer than two persons have two visits: nothing to tell apart"}
    persons = recordings["subject_id"].to_numpy()[kept].astype(str)
    hits = {
        name: (named(values[kept], persons, halves[kept], penalty=penalty) == persons).astype(np.float64)
        for name, values in features.items()
    }
    out["chance"] = float(pd.Series(persons).value_counts(normalize=True).iloc[0])
    return out | _estimates(hits, persons)


def deal_visits(recordings: pd.DataFrame, *, seed: int) -> NDArray[np.int64]:
    """Half (N,) of each recording, by visit: 0 or 1, and -1 for unknown persons and those with one visit."""
    rng = np.random.default_rng(seed)
    halves = np.full(len(recordings), -1)
    places = recordings.reset_index(drop=True)
    for _, own in places[places["subject_id"] != UNKNOWN].groupby("subject_id", sort=True):
        visits = np.sort(own["session_id"].astype(str).unique())
        if len(visits) > 1:
            half = dict(zip(rng.permutation(visits), np.arange(len(visits)) % 2, strict=True))
            halves[own.index] = own["session_id"].astype(str).map(half)
    return halves


def named(
    features: Array, persons: NDArray[Any], halves: NDArray[np.int64], *, penalty: float
) -> NDArray[Any]:
    """Person (N,) that the probe names for each recording, learned on the other half of the visits."""
    out = np.empty(len(persons), dtype=persons.dtype)
    for half in (0, 1):
        fit, asked = halves != half, halves == half
        model = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=_MAX_ITERATIONS))
        with warnings.catch_warnings():
            # an unfinished fit would look like suppression; few visits of many persons are meant to be
            warnings.simplefilter("error", ConvergenceWarning)
            warnings.filterwarnings("ignore", message="The number of unique classes")
            model.fit(features[fit], persons[fit])
        out[asked] = model.predict(features[asked])
    return out


def _estimates(hits: Mapping[str, Array], persons: NDArray[Any]) -> dict[str, dict[str, Estimate]]:
    """Accuracies and their paired differences, over the same persons."""
    apart = leave_one_out(persons)
    found = {name: left_out_mean(own, apart) for name, own in hits.items()}
    first = next(iter(hits))
    return {
        "accuracy": {name: estimate("accuracy", own) for name, own in found.items()},
        "difference": {
            name: difference("accuracy", found[first], own) for name, own in found.items() if name != first
        },
    }


def _check(name: str, values: Array, recordings: pd.DataFrame) -> None:
    if values.ndim != 2 or len(values) != len(recordings):
        raise ValueError(
            f"{name}: features {values.shape} for {len(recordings)} recordings; give one row each"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: features are not finite: the model diverged")
