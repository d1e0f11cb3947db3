"""The item-oracle check: finds features that repeat a questionnaire answer under an innocent name.

A forbidden name is easily changed; the order of persons is not. With ranks `r` over the rows that both know,
`|cov(r_x, r_y)| / min(var r_x, var r_y)` is 1 exactly where one of feature `x` and answer `y` is a monotone
function of the other, ties included: a copy, its logarithm, a copy with jitter, a total cut into bands. Sums
and components of items are found as features that are linear in all items.
"""

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import rankdata

from datamodules.feature_leakage.channels import LeakageError, check_channels
from datamodules.schema import IDS
from datamodules.wording import first_few

Array = NDArray[np.float64]

AGREEMENT = 0.999  # our choice: lets rounding pass for a copy, and no behavior that we know of
_ARRANGEMENTS = 1e12  # our choice: with fewer ways to deal out a column's values, agreement may be chance
_FREEDOM = 10  # our choice: rows beyond the number of items before a linear fit says anything


def check_features(features: pd.DataFrame, table: pd.DataFrame, *, allowed: Collection[str] = ()) -> None:
    """Stop if a feature is named like a label, or repeats an item, a total or the target.

    Args:
        features: A number per recording and feature (N, F), NaN where it lacks; ids are ignored.
        table: Manifest rows in the same order; its items, `score` and `binary` are the answers.
        allowed: Patterns of names that were asked to leak, e.g. `item_*`.

    Raises:
        LeakageError: Names the features, and what they repeat.
    """
    names = [
        str(name)
        for name in features
        if name not in IDS and not any(fnmatchcase(str(name), pattern) for pattern in allowed)
    ]
    check_channels(names)
    found = repeated_answers(features[names], answers_of(table))
    if found:
        listed = first_few([f"{name} ({what})" for name, what in found.items()])
        raise LeakageError(
            f"features that repeat the questionnaire under another name: {listed}; remove them, or whatever "
            "writes answers into the series"
        )


def answers_of(table: pd.DataFrame) -> pd.DataFrame:
    """The answers that a manifest holds: items, `score`, `binary`, and the total of each questionnaire."""
    items = [str(name) for name in table if str(name).startswith("item_")]
    answers = table[[*items, *(name for name in ("score", "binary") if name in table)]].astype(np.float64)
    forms: dict[str, list[str]] = {}
    for name in items:
        forms.setdefault(name.rpartition("_")[0], []).append(name)
    totals = {
        f"total of {form}_*": table[own].sum(axis=1, skipna=False)
        for form, own in forms.items()
        if len(own) > 1
    }
    return answers.assign(**totals)


def repeated_answers(features: pd.DataFrame, answers: pd.DataFrame) -> dict[str, str]:
    """Feature -> what it repeats: `orders persons as <answer>`, or `linear in the items`.

    Args:
        features: (N, F), NaN where missing.
        answers: (N, Q), NaN where unknown; from `answers_of`.
    """
    x, y = features.to_numpy(dtype=np.float64), answers.to_numpy(dtype=np.float64)
    items = np.flatnonzero([str(name).startswith("item_") for name in answers])
    found: dict[str, str] = {}
    for columns, measured in _alike(x):
        for questions, known in _alike(y):
            rows = measured & known
            own, asked = x[np.ix_(rows, columns)], y[np.ix_(rows, questions)]
            for place, question in zip(*np.nonzero(_same_order(own, asked)), strict=True):
                answer = answers.columns[questions[question]]
                found.setdefault(str(features.columns[columns[place]]), f"orders persons as {answer}")
        rows = measured & np.isfinite(y[:, items]).all(axis=1)
        for place in np.flatnonzero(_linear(x[np.ix_(rows, columns)], y[np.ix_(rows, items)])):
            found.setdefault(str(features.columns[columns[place]]), "linear in the items")
    return found


def _alike(values: Array) -> Iterator[tuple[NDArray[np.int_], NDArray[np.bool_]]]:
    """Columns that are finite in the same rows, and these rows."""
    finite = np.isfinite(values)
    patterns: dict[bytes, list[int]] = {}
    for column in range(values.shape[1]):
        patterns.setdefault(np.packbits(finite[:, column]).tobytes(), []).append(column)
    for columns in patterns.values():
        yield np.array(columns), finite[:, columns[0]]


def _same_order(x: Array, y: Array) -> NDArray[np.bool_]:
    """(F, Q): whether one of the two is a monotone function of the other, beyond what chance arranges."""
    agree = np.zeros((x.shape[1], y.shape[1]), dtype=bool)
    if len(x) < 2:
        return agree
    ranks_x, ranks_y = (rankdata(values, axis=0) - (len(x) + 1) / 2 for values in (x, y))
    shared = np.abs(ranks_x.T @ ranks_y)
    least = np.minimum((ranks_x**2).sum(axis=0)[:, None], (ranks_y**2).sum(axis=0)[None])
    for place, question in zip(*np.nonzero(shared > AGREEMENT * least), strict=True):
        agree[place, question] = _telling(ranks_x[:, place]) and _telling(ranks_y[:, question])
    return agree


def _telling(ranks: Array) -> bool:
    """Whether the values of a column could be dealt to the rows in more than `_ARRANGEMENTS` ways."""
    ties = np.unique(ranks, return_counts=True)[1]
    return bool(gammaln(len(ranks) + 1) - gammaln(ties + 1.0).sum() > np.log(_ARRANGEMENTS))


def _linear(x: Array, items: Array) -> NDArray[np.bool_]:
    """(F,): whether the adjusted R2 of the regression on all items exceeds `AGREEMENT`."""
    freedom = len(x) - items.shape[1] - 1
    if not items.shape[1] or freedom < _FREEDOM:
        return np.zeros(x.shape[1], dtype=bool)
    x = x - x.mean(axis=0)
    basis, sizes, _ = np.linalg.svd(items - items.mean(axis=0), full_matrices=False)
    basis = basis[:, sizes > 1e-9 * max(sizes.max(), 1.0)]  # items that are alike share a direction
    total = (x**2).sum(axis=0)
    left = total - ((basis.T @ x) ** 2).sum(axis=0)
    moves = total > len(x) * np.finfo(np.float64).eps  # not a constant
    linear: NDArray[np.bool_] = moves & (left / freedom < (1 - AGREEMENT) * total / (len(x) - 1))
    return linear
