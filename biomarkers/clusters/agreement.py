"""Agreement of clusters with known groups: the adjusted Rand index, tested by permutation.

Letters: `S` persons, `K` clusters, `G` groups, `R` permutations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_ROUNDING = 1e-12  # equal tables may differ by it, and must count as equal


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How well clusters meet groups: the index, the 95 % quantile of its null, and the p-value."""

    value: float
    null_95: float
    p_value: float


def agreement(labels: ArrayLike, groups: ArrayLike, *, n_perm: int = 999, seed: int = 0) -> Agreement:
    """Adjusted Rand index of clusters (S,) and groups (S,) of persons.

    It is 0 in expectation for independent labels and 1 for equal ones. Under the null the groups change
    places between persons; the observed order counts among the permutations (Phipson and Smyth, 2010).

    Raises:
        ValueError: The lengths differ, there is but one group, or there are no permutations.
    """
    found, truth = np.asarray(labels), np.asarray(groups)
    names = np.unique(truth)
    if found.shape != truth.shape or names.size < 2 or n_perm < 1:
        raise ValueError(
            f"{found.shape} clusters, {truth.shape} groups of {names.size} kinds, n_perm={n_perm}: "
            "give one group a person, two kinds of groups and at least one permutation"
        )
    rng = np.random.default_rng(seed)
    orders = np.stack([truth, *(rng.permutation(truth) for _ in range(n_perm))])
    clusters = (found[:, None] == np.unique(found)).astype(np.float64)
    values = _adjusted_rand(np.stack([clusters.T @ (order[:, None] == names) for order in orders]))
    return Agreement(
        value=float(values[0]),
        null_95=float(np.quantile(values[1:], 0.95)),
        p_value=float((values >= values[0] - _ROUNDING).mean()),
    )


def _adjusted_rand(tables: Array) -> Array:
    """Adjusted Rand index (R,) of tables (R, K, G) with common margins (Hubert and Arabie, 1985).

    scikit-learn counts one table at a time; permutations share their margins, so all are counted at once.
    """

    def pairs(count: Array) -> Array:
        return count * (count - 1) / 2

    rows, columns = (pairs(tables[0].sum(axis=axis)).sum() for axis in (1, 0))
    expected = rows * columns / pairs(tables[0].sum())
    return np.asarray((pairs(tables).sum(axis=(1, 2)) - expected) / ((rows + columns) / 2 - expected))
