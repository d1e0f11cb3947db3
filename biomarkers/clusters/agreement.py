"""Agreement of clusters with known groups (adjusted Rand index, mutual information), tested by permutation.

Letters: `S` persons, `K` clusters, `G` groups, `R` permutations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import entropy
from sklearn.metrics.cluster import expected_mutual_information

Array = NDArray[np.float64]

_ROUNDING = 1e-12  # equal tables may differ by it, and must count as equal


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How well clusters meet groups: a score, the 95 % quantile of its permutation null, and the p-value."""

    value: float
    null_95: float
    p_value: float


def agreement(
    labels: ArrayLike, groups: ArrayLike, *, n_perm: int = 999, seed: int = 0
) -> dict[str, Agreement]:
    """Adjusted Rand index and adjusted mutual information of clusters (S,) and groups (S,) of persons.

    Both are 0 in expectation for independent labels and 1 for equal ones. Under the null the groups change
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
    tables = np.stack([clusters.T @ (order[:, None] == names) for order in orders])
    out = {}
    for name, score in (("adjusted_rand", _rand), ("adjusted_mutual_info", _mutual_info)):
        values = score(tables)
        p = float((values >= values[0] - _ROUNDING).mean())
        null_95 = float(np.quantile(values[1:], 0.95))
        out[name] = Agreement(value=float(values[0]), null_95=null_95, p_value=p)
    return out


def _rand(tables: Array) -> Array:
    """Adjusted Rand index (R,) of tables (R, K, G) with common margins (Hubert and Arabie, 1985)."""

    def pairs(count: Array) -> Array:
        return count * (count - 1) / 2

    rows, columns = (pairs(tables[0].sum(axis=axis)).sum() for axis in (1, 0))
    expected = rows * columns / pairs(tables[0].sum())
    return np.asarray((pairs(tables).sum(axis=(1, 2)) - expected) / ((rows + columns) / 2 - expected))


def _mutual_info(tables: Array) -> Array:
    """Adjusted mutual information (R,) of such tables, arithmetic mean of entropies (Vinh et al., 2010).

    The expectation depends on the margins only: computed once, it makes permutations cheap.
    """
    total = tables[0].sum()
    rows, columns = (entropy(tables[0].sum(axis=axis)) for axis in (1, 0))
    joint = entropy(tables.reshape(len(tables), -1), axis=1)
    expected = expected_mutual_information(tables[0].astype(np.int64), int(total))
    return np.asarray((rows + columns - joint - expected) / ((rows + columns) / 2 - expected))
