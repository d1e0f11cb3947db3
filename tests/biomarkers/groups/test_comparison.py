"""Tests and effect sizes against scipy and against hand computation."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import gammaln

from biomarkers.groups.comparison import compare_groups
from biomarkers.groups.subject_means import Persons
from evaluation.uncertainty.bootstrap import Resampling

A = np.array([3.0, 4.0, 5.5, 6.0, 7.0])
B = np.array([1.0, 2.0, 2.5, 4.0, 5.0, 3.5])


def persons(**columns):
    return Persons(
        values=pd.DataFrame(columns, index=[f"s{i}" for i in range(11)]),
        depressed=np.array([True] * 5 + [False] * 6),
        left_out={},
    )


def row(table, feature):
    return table.set_index("feature").loc[feature]


def test_one_feature_by_hand():
    found = row(compare_groups(persons(x=np.r_[A, B]), Resampling(1000)), "x")
    assert found["n_depressed"] == 5
    assert found["n_control"] == 6
    assert found["mean_depressed"] == pytest.approx(5.1)
    assert found["difference"] == pytest.approx(5.1 - 3.0)
    assert found["sd_control"] == pytest.approx(np.std(B, ddof=1))
    welch = stats.ttest_ind(A, B, equal_var=False)
    assert [found["welch_t"], found["welch_p"]] == pytest.approx([welch.statistic, welch.pvalue])
    assert found["u_p"] == pytest.approx(stats.mannwhitneyu(A, B).pvalue)
    wins = np.sign(A[:, None] - B).sum() / 30
    assert found["cliffs_delta"] == pytest.approx(wins)
    assert found["cliffs_delta_low"] < wins < found["cliffs_delta_high"]
    assert found["reason"] == ""


def test_hedges_g_is_the_corrected_standardized_difference():
    found = row(compare_groups(persons(x=np.r_[A, B]), Resampling(1000)), "x")
    pooled = math.sqrt((4 * A.var(ddof=1) + 5 * B.var(ddof=1)) / 9)
    exact = math.exp(gammaln(4.5) - gammaln(4.0)) / math.sqrt(4.5)
    g = exact * 2.1 / pooled
    assert found["hedges_g"] == pytest.approx(g, rel=2e-3)  # the library approximates the correction
    half = 1.96 * math.sqrt(11 / 30 + g**2 / 2 / (11 - 3.94))
    assert found["hedges_g_high"] - found["hedges_g_low"] == pytest.approx(2 * half, rel=2e-3)


@pytest.mark.slow
def test_the_interval_of_g_covers_the_truth():
    rng, truth, hits = np.random.default_rng(0), 0.8, 0
    for _ in range(10):
        values = pd.DataFrame(rng.standard_normal((60, 40)))
        values.iloc[:30] += truth
        cohort = Persons(values=values, depressed=np.arange(60) < 30, left_out={})
        table = compare_groups(cohort, Resampling(1000))
        hits += ((table["hedges_g_low"] < truth) & (truth < table["hedges_g_high"])).sum()
    assert 0.92 < hits / 400 < 0.98


def test_the_corrections_count_the_tested_features_only():
    rng = np.random.default_rng(0)
    table = compare_groups(
        persons(x=np.r_[A, B], flat=0.1, noise=rng.random(11), rare=[1.0] * 2 + [np.nan] * 9, gone=np.nan),
        Resampling(1000),
    )
    p = row(table, "x")["welch_p"], row(table, "noise")["welch_p"]
    assert row(table, "x")["welch_p_holm"] == pytest.approx(2 * min(p))
    assert row(table, "noise")["welch_p_bh"] == pytest.approx(max(p))
    for name, reason in (("flat", "constant"), ("rare", "2 depressed persons"), ("gone", "0 depressed")):
        assert reason in row(table, name)["reason"]
        assert row(table, name)[["welch_p", "welch_p_holm", "u_p", "hedges_g", "cliffs_delta"]].isna().all()
    assert row(table, "flat")["mean_control"] == pytest.approx(0.1)


def test_missing_values_leave_persons_out_of_one_feature():
    with_gap = np.r_[A, B]
    with_gap[0] = np.nan
    table = compare_groups(persons(x=np.r_[A, B], gap=with_gap), Resampling(1000))
    assert row(table, "gap")["n_depressed"] == 4
    expected = stats.ttest_ind(A[1:], B, equal_var=False).pvalue
    assert row(table, "gap")["welch_p"] == pytest.approx(expected)
    assert row(table, "gap")["u_p"] == pytest.approx(stats.mannwhitneyu(A[1:], B).pvalue)


def test_groups_that_do_not_overlap_have_no_interval_of_delta():
    found = row(compare_groups(persons(x=np.r_[A + 10, B]), Resampling(1000)), "x")
    assert found["cliffs_delta"] == 1
    assert np.isnan(found["cliffs_delta_low"])
    assert "do not overlap" in found["reason"]
    assert found["welch_p"] < 0.001


def test_one_group_alone_is_refused():
    cohort = persons(x=np.r_[A, B])
    alone = Persons(values=cohort.values, depressed=np.ones(11, dtype=bool), left_out={"s99": "no label"})
    with pytest.raises(ValueError, match=r"11 of 11 persons are depressed \(1 left out\)"):
        compare_groups(alone, Resampling(1000))
