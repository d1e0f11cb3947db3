"""How often the comparison finds something where there is nothing."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from biomarkers.groups.comparison import group_tests
from biomarkers.groups.persons import Persons

ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class NullRate:
    """Share of null draws with at least one significant feature, with its exact 95 % interval."""

    rate: float
    low: float
    high: float
    draws: int


def null_rate(
    persons: Persons, *, test: str = "welch_p_holm", draws: int = 200, alpha: float = ALPHA, seed: int = 0
) -> NullRate:
    """Permute the groups between the persons and count the draws in which any feature is significant.

    The features stay together, so that their correlation is that of the data. A correction that keeps the
    family-wise error gives a rate of at most `alpha`, up to the interval of Clopper and Pearson (1934).

    Args:
        persons: Both groups.
        test: The p-value to look at, a column of `comparison.group_tests`.
        draws: Permutations.
        alpha: Level of the test.
        seed: Of the permutations.

    Raises:
        ValueError: There are no draws, or there is no such p-value.
    """
    if draws < 1:
        raise ValueError(f"draws={draws}: a rate needs at least one draw")
    values = persons.values.to_numpy(dtype=np.float64)
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(draws):
        table = group_tests(values, rng.permutation(persons.depressed))
        if test not in table:
            raise ValueError(f"test={test!r}: choose one of {[n for n in map(str, table) if '_p' in n]}")
        found += bool((table[test] < alpha).any())
    interval = binomtest(found, draws).proportion_ci(confidence_level=0.95, method="exact")
    return NullRate(rate=found / draws, low=float(interval.low), high=float(interval.high), draws=draws)
