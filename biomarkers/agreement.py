"""How well clusters of persons meet groups that nobody told the clustering."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score


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
        ValueError: The lengths differ, or there are no permutations.
    """
    found, truth = np.asarray(labels), np.asarray(groups)
    if found.shape != truth.shape or n_perm < 1:
        raise ValueError(
            f"{found.shape} clusters, {truth.shape} groups, n_perm={n_perm}: one group a person, one draw"
        )
    scores = {"adjusted_rand": adjusted_rand_score, "adjusted_mutual_info": adjusted_mutual_info_score}
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(truth) for _ in range(n_perm)]
    out = {}
    for name, score in scores.items():
        value = float(score(truth, found))
        null = np.array([score(other, found) for other in orders])
        p = (1 + int((null >= value - 1e-12).sum())) / (1 + n_perm)
        out[name] = Agreement(value=value, null_95=float(np.quantile(null, 0.95)), p_value=p)
    return out
