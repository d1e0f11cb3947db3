"""Permutation test of labels against predictions, with a person's labels kept together.

Under the null hypothesis labels have nothing to do with predictions, but the labels of a person still belong
together. So they move as a block: a person receives all labels of another one with the same number of
recordings, visit by visit (block permutation; Winkler et al., NeuroImage 2015). The p value counts the
observed arrangement as one of the permutations (Phipson and Smyth 2010).
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.metrics.applicable import ranking_column, subject_codes, usable
from evaluation.metrics.catalog import METRICS
from evaluation.metrics.definitions import auc_of_many

Array = NDArray[np.float64]

_Question = tuple[str, str, Callable[[Array, Array], Array]]

N_PERMUTATIONS = 2000  # our choice: the smallest p value is 1 / 2001


def permute_labels(
    recordings: pd.DataFrame, *, seed: int, n_permutations: int = N_PERMUTATIONS
) -> dict[str, Any]:
    """Test AUC, MAE and Pearson r of a test split against labels permuted between persons.

    Args:
        recordings: recording table of the test split.
        seed: of the permutations.
        n_permutations: how many are drawn.

    Returns:
        metric -> `{"value", "p", "null": [2.5 %, 97.5 %], "persons", "fixed_persons"}`; `fixed_persons` are
        alone with their number of recordings and keep their labels, which makes the test weaker. A metric
        that is not defined is left out; `reason` where none is.
    """
    out: dict[str, Any] = {}
    for name, (target, prediction, metric) in _questions(recordings).items():
        rows = recordings[recordings[target].notna()]
        # visit by visit, so that a course over the visits moves as a whole to another person
        rows = rows.sort_values(["subject_id", "session_id", "recording_id"], ignore_index=True)
        y, p = (rows[c].to_numpy(dtype=np.float64) for c in (target, prediction))
        if np.ptp(y) == 0 or np.ptp(p) == 0:
            continue  # every arrangement would be as good as the observed one
        orders, fixed = block_permutations(rows["subject_id"], seed=seed, count=n_permutations)
        value = float(metric(y[None], p)[0])
        null = metric(y[orders], p)
        # the same sums in another order differ in their last digits: ties must count as ties
        sign = 1 if METRICS[name].higher_is_better else -1
        as_good = int(np.sum(sign * (null - value) >= -1e-9 * max(1.0, abs(value))))
        out[name] = {
            "value": value,
            "p": (as_good + 1) / (n_permutations + 1),
            "null": np.quantile(null, [0.025, 0.975]).tolist(),
            "persons": int(np.unique(subject_codes(rows["subject_id"])).size),
            "fixed_persons": fixed,
        }
    return out or {"reason": "no label and prediction vary, so there is nothing to permute"}


def block_permutations(
    subjects: Iterable[object], *, seed: int | np.random.Generator, count: int
) -> tuple[NDArray[np.int64], int]:
    """Row numbers (count,N) whose labels each row receives, and how many persons cannot exchange theirs.

    Args:
        subjects: person of each row, rows of a person in the order of their visits.
        seed: of the permutations, or the generator to draw them from.
        count: how many to draw.
    """
    codes = subject_codes(subjects)
    rows_of = [np.flatnonzero(codes == code) for code in range(int(codes.max()) + 1)]
    sizes = np.array([len(rows) for rows in rows_of])
    rng = np.random.default_rng(seed)
    out = np.tile(np.arange(codes.size), (count, 1))
    fixed = 0
    # only persons with equally many recordings can change places; their blocks have the same length
    for size in np.unique(sizes):
        block = np.stack([rows_of[person] for person in np.flatnonzero(sizes == size)])  # (persons, size)
        fixed += len(block) == 1
        drawn = rng.permuted(np.tile(np.arange(len(block)), (count, 1)), axis=1)
        out[:, block.ravel()] = block[drawn].reshape(count, -1)
    return out, fixed


def _questions(recordings: pd.DataFrame) -> dict[str, _Question]:
    """Metric -> the columns that it is asked of, and the metric of many arrangements of the labels (P,N)."""
    out: dict[str, _Question] = {}
    if (ranked := ranking_column(recordings)) is not None:
        out["auc"] = ("binary_target", ranked, auc_of_many)
    if usable(recordings, "score_target", "score_prediction"):
        out["mae"] = ("score_target", "score_prediction", _mae)
        out["pearson"] = ("score_target", "score_prediction", _pearson)
    return out


def _mae(y: Array, p: Array) -> Array:
    error: Array = np.abs(y - p).mean(1)
    return error


def _pearson(y: Array, p: Array) -> Array:
    a, b = y - y.mean(1, keepdims=True), p - p.mean()
    correlation: Array = a @ b / np.sqrt((a * a).sum(1) * (b @ b))
    return correlation
