"""Clusters that are the groups agree with them; clusters of noise do not."""

import numpy as np
import pytest

from biomarkers.agreement import agreement


def test_equal_partitions_agree_whatever_their_names():
    groups = np.repeat([0, 1], 20)
    for found in agreement(1 - groups, groups, n_perm=99).values():
        assert found.value == pytest.approx(1)
        assert found.p_value == pytest.approx(1 / 100)
        assert found.null_95 < 0.2


@pytest.mark.slow
def test_p_values_are_uniform_under_the_null():
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 25)
    p = [agreement(rng.integers(0, 3, 50), groups, n_perm=19)["adjusted_rand"].p_value for _ in range(80)]
    assert np.mean(np.array(p) <= 0.1) < 0.2
    assert 0.4 < np.mean(p) < 0.65


def test_rand_by_hand():
    # pairs together: 2 in both, 4 and 4 in each, of 15: expected 16/15, adjusted (2 - 16/15) / (4 - 16/15)
    value = agreement([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 2], n_perm=1)["adjusted_rand"].value
    assert value == pytest.approx((2 - 16 / 15) / (4 - 16 / 15))


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="one group a person"):
        agreement([0, 1], [0, 1, 1])
