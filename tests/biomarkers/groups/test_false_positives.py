"""Nothing is found where there is nothing, and what there is is found."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from biomarkers.groups.comparison import compare_groups, group_tests
from biomarkers.groups.false_positives import null_rates, rate_of
from biomarkers.groups.subject_means import Persons, person_means
from datamodules.synthetic import latent
from evaluation.uncertainty.bootstrap import Resampling

MOVED = {f"{c.name}_mean" for c in latent._CHANNELS if c.effect != 0}
UNMOVED = {f"{c.name}_mean" for c in latent._CHANNELS} - MOVED - {"au45_mean"}  # blinks quicken with severity


def noise(features, *, persons=40):
    values = pd.DataFrame(np.random.default_rng(3).standard_normal((persons, features)))
    return Persons(values=values, depressed=np.arange(persons) < persons // 2, left_out={})


@pytest.mark.slow
def test_holm_keeps_the_rate_and_no_correction_does_not():
    cohort = noise(8)
    rates = null_rates(cohort, draws=100)
    for test in ("welch_p_holm", "u_p_holm"):
        assert rates[test].draws == 100
        assert rates[test].low <= 0.05
    assert rates["welch_p"].low < 1 - 0.95**8 < rates["welch_p"].high


def test_the_interval_is_wilsons():
    rate, z = rate_of(10, 200), 1.959964
    center, half = (0.05 + z**2 / 400) / (1 + z**2 / 200), np.sqrt(0.05 * 0.95 / 200 + z**2 / 160000)
    half *= z / (1 + z**2 / 200)
    assert (rate.rate, rate.draws) == (0.05, 200)
    np.testing.assert_allclose([rate.low, rate.high], [center - half, center + half], rtol=1e-5)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="draws=0"):
        null_rates(noise(2), draws=0)


def found(table, test="welch_p_holm"):
    return set(table.index[table[test] < 0.05])


def test_a_cohort_has_its_differences_in_their_direction(latent_tables):
    persons = person_means(*latent_tables(persons=240, seed=1))
    table = compare_groups(persons, Resampling(1000)).set_index("feature")
    assert found(table) >= MOVED
    assert found(table) & UNMOVED == set()
    signs = {f"{c.name}_mean": np.sign(c.effect) for c in latent._CHANNELS if c.effect != 0}
    assert {name: np.sign(table.loc[name, "difference"]) for name in MOVED} == signs


@pytest.mark.slow
def test_over_cohorts_moved_features_are_found_and_others_are_not(latent_tables):
    hits, alarms, cohorts = dict.fromkeys(MOVED, 0), 0, 25
    for seed in range(100, 100 + cohorts):
        persons = person_means(*latent_tables(persons=240, seed=seed))
        table = group_tests(persons.values.to_numpy(), persons.depressed)
        significant = found(table.set_index(persons.values.columns))
        alarms += bool(significant & UNMOVED)
        hits = {name: count + (name in significant) for name, count in hits.items()}
    assert min(hits.values()) > 0.8 * cohorts
    assert binomtest(alarms, cohorts).proportion_ci(method="exact").low <= 0.05


@pytest.mark.slow
def test_under_permuted_groups_holm_keeps_the_rate(latent_tables):
    persons = person_means(*latent_tables(persons=120))
    rates = null_rates(persons, draws=200)
    assert max(rates[test].low for test in ("welch_p_holm", "u_p_holm")) <= 0.05
