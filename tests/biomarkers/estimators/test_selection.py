import logging

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from biomarkers.estimators.selection import RankSumSelector

Y = np.repeat([0, 1], 30)


def table(effect=2.0, columns=6):
    x = np.random.default_rng(0).standard_normal((60, columns))
    x[:, 2] += effect * Y
    return pd.DataFrame(x, columns=list("abcdef")[:columns])


def test_p_values_are_those_of_scipy_feature_by_feature():
    x = table().round(1)  # with ties
    fit = RankSumSelector().fit(x, Y)
    expected = [mannwhitneyu(x.loc[Y == 1, name], x.loc[Y == 0, name]).pvalue for name in x]
    np.testing.assert_allclose(fit.p_values_, expected)
    assert fit.get_feature_names_out().tolist() == ["c"]
    assert fit.transform(x).ravel().tolist() == x["c"].tolist()


def test_the_smallest_are_kept_where_none_passes_and_it_is_said(caplog):
    x = table(effect=0)
    with caplog.at_level(logging.WARNING):
        fit = RankSumSelector(p_value=1e-9, fewest=2).fit(x, Y)
    assert fit.passed_ == 0
    assert "no feature of 6 has p < 1e-09: the 2 smallest" in caplog.text
    assert np.flatnonzero(fit.get_support()).tolist() == sorted(np.argsort(fit.p_values_)[:2].tolist())


def test_a_constant_is_never_better_than_a_feature():
    fit = RankSumSelector().fit(table().assign(b=3.0), Y)
    assert fit.p_values_[1] == 1
    assert not fit.get_support()[1]


def test_three_classes_are_refused():
    with pytest.raises(ValueError, match="two classes; the training rows have 3"):
        RankSumSelector().fit(table(), np.arange(60) % 3)
