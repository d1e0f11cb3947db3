from collections import Counter
from itertools import islice, product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from biomarkers.symptoms.discrepancy import SymptomDiscrepancy
from biomarkers.symptoms.permuted_answers import shuffles
from tests.biomarkers.symptoms.answers import partial_credit


def frequencies(answers, group):
    return {name: np.sort(answers[:, group == name], axis=1).tolist() for name in np.unique(group)}


@pytest.mark.parametrize("within", ["total", "sample"])
def test_totals_and_frequencies_stay_and_answers_move(within):
    before = partial_credit(500).to_numpy(dtype=np.int16).T
    total = before.sum(axis=0)
    kept = before.copy()
    after = next(shuffles(before, within=within, sweeps=30, rng=np.random.default_rng(0)))
    np.testing.assert_array_equal(before, kept)
    np.testing.assert_array_equal(after.sum(axis=0), total)
    np.testing.assert_array_equal(np.sort(after, axis=1), np.sort(before, axis=1))
    assert (frequencies(after, total) == frequencies(before, total)) == (within == "total")
    assert (after != before).mean() > 0.3


def test_all_tables_of_the_same_margins_are_equally_likely():
    """Four persons of total 2: every table is listed; tables that differ by the order of persons are one."""
    first = np.array([(2, 0, 0, 0), (0, 1, 1, 0), (1, 0, 0, 1), (0, 1, 0, 1)], dtype=np.int16).T
    margins = [sorted(item) for item in first.tolist()]
    rows = [row for row in product(range(3), repeat=4) if sum(row) == 2]
    expected = Counter(
        tuple(sorted(table))
        for table in product(rows, repeat=4)
        if [sorted(item) for item in zip(*table, strict=True)] == margins
    )
    chain = shuffles(first, within="total", sweeps=4, rng=np.random.default_rng(0))
    seen = Counter(tuple(sorted(map(tuple, table.T.tolist()))) for table in islice(chain, 1000))
    assert set(seen) == set(expected)
    assert sorted(expected.values()) == [12, 24, 24]
    share = np.array([expected[table] for table in expected]) / expected.total()
    assert chisquare([seen[table] for table in expected], 1000 * share).pvalue > 0.001


def test_within_totals_the_mean_squared_distance_of_a_total_stays():
    items = partial_credit(800, profile=0.5)
    after = next(
        shuffles(items.to_numpy(dtype=np.int16).T, within="total", sweeps=20, rng=np.random.default_rng(0))
    )
    fitted = SymptomDiscrepancy(normalization="none").fit(items)
    squares = [
        (table["distance"] ** 2).groupby(table["total"]).mean()
        for table in (
            fitted.per_person(items),
            fitted.per_person(pd.DataFrame(after.T, columns=items.columns)),
        )
    ]
    np.testing.assert_allclose(squares[0], squares[1], rtol=1e-9)
    assert (items.to_numpy() != after.T).any()
