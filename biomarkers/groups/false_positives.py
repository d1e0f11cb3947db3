"""False-positive rate of the group comparison under permuted groups."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from biomarkers.groups.comparison import group_tests
from biomarkers.groups.subject_means import Persons

ALPHA = 0.05  # level of every test
TESTS = (  # columns of `comparison.group_tests`
    "welch_p_holm",
    "u_p_holm",
    "welch_p",
    "u_p",
)


@dataclass(frozen=True, kw_only=True)
class NullRate:
    """Share of null draws with at least one significant feature, with its 95 % interval."""

    rate: float
    low: float
    high: float
    draws: int


def null_rates(persons: Persons, *, draws: int = 200, seed: int = 0) -> dict[str, NullRate]:
    """Permute the groups between the persons and count the draws in which any feature is significant.

    The features stay together, so that their correlation is that of the data. A correction that keeps the
    family-wise error gives a rate of at most `ALPHA`, up to its interval. All tests see the same draws.

    Args:
        persons: Both groups.
        draws: Permutations.
        seed: Of the permutations.

    Raises:
        ValueError: There are no draws.
    """
    if draws < 1:
        raise ValueError(f"draws={draws}: a rate needs at least one draw")
    values = persons.values.to_numpy(dtype=np.float64)
    rng = np.random.default_rng(seed)
    found = dict.fromkeys(TESTS, 0)
    for _ in range(draws):
        table = group_tests(values, rng.permutation(persons.depressed))
        for test in TESTS:
            found[test] += bool((table[test] < ALPHA).any())
    return {test: rate_of(count, draws) for test, count in found.items()}


def rate_of(count: int, draws: int) -> NullRate:
    """A share with the interval of Wilson (1927), whose coverage is near 95 % also for small shares."""
    interval = binomtest(count, draws).proportion_ci(confidence_level=0.95, method="wilson")
    return NullRate(rate=count / draws, low=float(interval.low), high=float(interval.high), draws=draws)
