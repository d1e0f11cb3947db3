"""Sampling audit: are the test persons drawn from the same population as the training persons?

A test set of another composition answers another question (sampling bias, L3.3 of Kapoor & Narayanan 2023).
Nothing here stops a run: an external corpus is meant to differ. The differences are listed beside its result.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.schema import UNKNOWN
from evaluation.uncertainty.holm import holm

Array = NDArray[np.float64]

NUMERIC = ("score", "binary", "age", "duration_s", "fps", "brightness")
CATEGORICAL = ("sex", "site", "corpus", "task")
ALPHA = 0.05
N_PERMUTATIONS = 2000  # our choice: the smallest p-value is 1/2001


def sampling_audit(
    train: pd.DataFrame, test: pd.DataFrame, *, n_permutations: int = N_PERMUTATIONS, seed: int = 0
) -> list[dict[str, Any]]:
    """Compare the persons of two parts, column by column, by a permutation of persons between the parts.

    A person counts once, with the mean of a number or the share of each level over their recordings. The
    difference is that of the means in standard deviations of all persons, or the total variation distance
    between the levels. P-values are adjusted by Holm over the columns.

    Args:
        train: manifest rows of the training recordings.
        test: manifest rows of the test recordings.
        n_permutations: permutations of persons.
        seed: of the permutations.

    Returns:
        One entry a column that both parts know: `column`, `train` and `test` (mean, or share by level),
        `difference`, `p`, `p_holm`, `differs`.
    """
    rows = pd.concat([train.assign(part=0), test.assign(part=1)], ignore_index=True)
    rng = np.random.default_rng(seed)
    found = []
    for column in (*NUMERIC, *CATEGORICAL):
        values = _persons(rows, column)
        if values is None:
            continue
        content, part = values
        observed, p = _permutation(content.to_numpy(), part, column in NUMERIC, n_permutations, rng)
        means = [content[part == side].mean() for side in (0, 1)]
        shown: list[Any] = [
            float(mean.iloc[0]) if column in NUMERIC else {k: float(v) for k, v in mean.items()}
            for mean in means
        ]
        found.append({"column": column, "train": shown[0], "test": shown[1], "difference": observed, "p": p})
    for entry, adjusted in zip(found, holm([entry["p"] for entry in found]), strict=True):
        entry |= {"p_holm": float(adjusted), "differs": bool(adjusted < ALPHA)}
    return found


def _persons(rows: pd.DataFrame, column: str) -> tuple[pd.DataFrame, NDArray[np.int_]] | None:
    """Values of each person and part; None where a part lacks them or nothing varies."""
    if column not in rows:
        return None
    known = rows[rows[column].notna() & (rows[column] != "")]
    if known["part"].nunique() < 2 or known[column].nunique() < 2:
        return None
    unknown = known["subject_id"] == UNKNOWN
    person = known["subject_id"].astype(str).where(~unknown, "recording " + known["recording_id"].astype(str))
    values = (
        known[[column]].astype(np.float64)
        if column in NUMERIC
        else pd.get_dummies(known[column], dtype=float)
    )
    means = values.groupby([known["part"], person]).mean()
    if means.nunique().max() < 2:  # of few persons the means may be equal although their recordings differ
        return None
    return means, means.index.get_level_values(0).to_numpy(dtype=np.int_)


def _permutation(
    values: Array, part: NDArray[np.int_], numeric: bool, n_permutations: int, rng: np.random.Generator
) -> tuple[float, float]:
    scale = values.std(axis=0) if numeric else np.full(values.shape[1], 2.0)

    def distance(sides: NDArray[np.int_]) -> Array:
        """Distance between the two parts, for every row of `sides` (R, persons)."""
        count = sides.sum(axis=1, keepdims=True)
        second = sides @ values
        first = values.sum(axis=0) - second
        gap = second / count - first / (sides.shape[1] - count)
        total: Array = np.abs(gap / scale).sum(axis=1)
        return total

    observed = float(distance(part[None])[0])
    permuted = distance(rng.permuted(np.tile(part, (n_permutations, 1)), axis=1))
    p = (1 + int((permuted >= observed - 1e-12).sum())) / (1 + n_permutations)
    return observed, p
