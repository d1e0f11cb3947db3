"""Intervals over schools beside an independent computation, on pupils whose schools differ strongly."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from evaluation.metrics.applicable import measurements
from evaluation.summary import summarize
from evaluation.tables.clusters import with_clusters
from evaluation.uncertainty.jackknife import leave_out_of, left_out
from evaluation.uncertainty.table_estimates import estimates, paired_differences

SPREAD = 3.0  # of the mean error between schools, in points; pupils of one school: 1


def study(rng, *, schools=12, pupils=20, spread=SPREAD):
    """Pupils whose prediction is off by what their school has in common; the mean signed error is 10."""
    school = np.repeat(np.arange(schools), pupils)
    error = 10 + rng.normal(0, spread, schools)[school] + rng.normal(size=school.size)
    target = rng.uniform(20, 40, school.size)
    return pd.DataFrame(
        {
            "recording_id": [f"r{number:04d}" for number in range(school.size)],
            "subject_id": [f"p{number}" for number in range(school.size)],
            "session_id": "1",
            "split": "test",
            "school": [f"s{number}" for number in school],
            "score_target": target,
            "score_prediction": target + error,
        }
    )


def width(estimate):
    return estimate["high"] - estimate["low"]


def test_the_standard_error_is_that_of_a_cluster_robust_regression():
    """Of a mean over schools of one size the jackknife is exactly the sandwich with G / (G - 1)."""
    table = with_clusters(study(np.random.default_rng(0)), "school")
    found = left_out(measurements(table, threshold=None), leave_out_of(table))["mae"]
    errors = (table["score_prediction"] - table["score_target"]).abs().to_numpy()
    codes = pd.factorize(table["school"])[0]
    fit = sm.OLS(errors, np.ones_like(errors)).fit(cov_type="cluster", cov_kwds={"groups": codes})
    assert found.value == pytest.approx(fit.params[0])
    assert found.spread().error == pytest.approx(fit.bse[0], rel=1e-9)
    assert found.persons.sum() == 12


def test_intervals_over_schools_are_wider_and_say_so():
    table = study(np.random.default_rng(1))
    persons, groups = (summarize([one]) for one in (table, with_clusters(table, "school")))
    assert width(groups["mae"]) > 2 * width(persons["mae"])
    assert groups["mae"]["value"] == persons["mae"]["value"]
    assert groups["mae"]["method"] == "jackknife over groups of 'school', log"
    assert groups["intervals_over"] == "groups of 'school'"
    assert groups["counts"]["clusters"] == 12
    assert groups["by_subject"]["mae"]["method"] == "jackknife over groups of 'school', log"
    assert persons["mae"]["method"] == "jackknife over persons, log"
    assert "intervals_over" not in persons


@pytest.mark.slow  # 300 studies
def test_intervals_over_schools_cover_and_those_over_persons_do_not():
    rng, runs = np.random.default_rng(2), 300
    covered = {"persons": 0, "schools": 0}
    for _ in range(runs):
        table = study(rng)
        for name, one in {"persons": table, "schools": with_clusters(table, "school")}.items():
            mae = estimates([one])["mae"]
            covered[name] += mae["low"] <= 10 <= mae["high"]
    assert covered["schools"] / runs > 0.91  # 0.95 minus three standard errors of 300 runs
    assert covered["persons"] / runs < 0.6


def test_where_schools_do_not_differ_both_agree():
    rng = np.random.default_rng(3)
    ratios = []
    for _ in range(40):
        table = study(rng, schools=30, spread=0.0)
        both = [estimates([one])["mae"] for one in (table, with_clusters(table, "school"))]
        ratios.append(width(both[1]) / width(both[0]))
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)


def test_a_difference_of_two_runs_is_over_the_schools_of_the_first():
    rng = np.random.default_rng(4)
    table = study(rng)
    better = table["school"].map(dict(zip(table["school"].unique(), rng.normal(3, 1, 12), strict=True)))
    other = table.assign(score_prediction=table["score_prediction"] - better + rng.normal(0, 0.3, len(table)))
    plain = paired_differences([table], [other])["mae"]
    clustered = paired_differences([with_clusters(table, "school")], [other])["mae"]
    assert plain["value"] == clustered["value"]
    assert clustered["method"] == "jackknife over groups of 'school'"
    assert width(clustered) > 2 * width(plain)


def test_few_schools_are_told():
    table = with_clusters(study(np.random.default_rng(5), schools=4), "school")
    assert "only 4 groups of 'school': below 10" in estimates([table])["mae"]["warning"]
    two = with_clusters(study(np.random.default_rng(5), schools=2), "school")
    assert estimates([two])["mae"]["reason"] == "no interval: only 2 groups of 'school'"
