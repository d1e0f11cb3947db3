"""Clusters that are the groups agree with them; clusters of noise do not."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from biomarkers.clusters.agreement import agreement


def test_equal_partitions_agree_whatever_their_names():
    groups = np.repeat([0, 1], 20)
    found = agreement(1 - groups, groups, n_perm=99)
    assert found.value == pytest.approx(1)
    assert found.p_value == pytest.approx(1 / 100)
    assert found.null_95 < 0.2


@pytest.mark.slow
def test_p_values_are_uniform_under_the_null():
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 25)
    p = [agreement(rng.integers(0, 3, 50), groups, n_perm=39).p_value for _ in range(150)]
    assert np.mean(np.array(p) <= 0.1) < 0.18
    assert 0.42 < np.mean(p) < 0.6


@pytest.mark.parametrize("k", [1, 2, 4])
def test_values_are_those_of_sklearn(k):
    rng = np.random.default_rng(k)
    groups = rng.integers(0, 3, 30)
    labels = np.where(rng.random(30) < 0.6, groups, 7) % k
    found = agreement(labels, groups, n_perm=9)
    assert found.value == pytest.approx(adjusted_rand_score(groups, labels), abs=1e-12)


def test_rand_by_hand():
    # pairs together: 2 in both, 4 and 4 in each, of 15: expected 16/15, adjusted (2 - 16/15) / (4 - 16/15)
    value = agreement([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 2], n_perm=1).value
    assert value == pytest.approx((2 - 16 / 15) / (4 - 16 / 15))


def test_groups_that_say_nothing_are_refused():
    with pytest.raises(ValueError, match="one group a person"):
        agreement([0, 1], [0, 1, 1])
    with pytest.raises(ValueError, match="groups of 1 kinds"):
        agreement([0, 1], [1, 1])
