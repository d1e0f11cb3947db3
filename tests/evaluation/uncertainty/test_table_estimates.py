import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evaluation.metrics.applicable import measurements
from evaluation.uncertainty.jackknife import leave_one_out, left_out
from evaluation.uncertainty.table_estimates import estimates, paired_differences


def test_every_metric_lies_in_its_interval(recordings):
    out = estimates([recordings], [0.5])
    assert {"auc", "mae", "ccc", "uar", "pearson_within", "quadratic_kappa", "change_mae"} <= set(out)
    for name, found in out.items():
        if name != "ece":
            assert found["low"] < found["value"] < found["high"], name
            assert found["method"].startswith("jackknife"), name
    assert out["ece"]["low"] is None
    assert "biased" in out["ece"]["reason"]


def test_row_order_changes_nothing(recordings):
    one, other = estimates([recordings]), estimates([recordings.sample(frac=1, random_state=1)])
    for name, found in one.items():
        assert found == pytest.approx(other[name]) if found["value"] is not None else True


def test_one_person_has_no_interval(recordings):
    found = estimates([recordings.assign(subject_id="p1")])["mae"]
    assert found["value"] > 0
    assert found["low"] is None
    assert "only one person" in found["reason"]


def test_a_table_paired_with_itself_differs_by_nothing(recordings):
    for found in paired_differences([recordings], [recordings]).values():
        if found["value"] is not None:
            assert (found["value"], found["low"], found["high"]) == (0, 0, 0)


def test_two_models_that_are_both_perfect_may_still_differ(recordings):
    perfect = recordings.assign(binary_prediction=0.2 + 0.6 * recordings["binary_target"])
    other = recordings.assign(binary_prediction=0.3 + 0.6 * recordings["binary_target"])
    found = paired_differences([perfect], [other])["auc"]
    assert (found["value"], found["low"], found["high"]) == (0, None, None)
    assert "spread between persons is not known" in found["reason"]


def test_of_single_visits_it_is_the_paired_t_interval(cohort):
    a = cohort(subjects=40, visits=1)
    b = a.assign(score_prediction=a["score_prediction"] + np.random.default_rng(0).uniform(-4, 4, 40))
    gaps = np.abs(a["score_target"] - a["score_prediction"]) - np.abs(
        a["score_target"] - b["score_prediction"]
    )
    found = paired_differences([a], [b])["mae"]
    one, other = (
        left_out(measurements(t, threshold=None), leave_one_out(t["subject_id"]))["mae"] for t in (a, b)
    )
    u = one.values - other.values - np.mean(one.values - other.values)
    df = min(39, 2 / ((u**4).sum() / (u**2).sum() ** 2 - 1 / 40))
    half = stats.t.ppf(0.975, df) * stats.sem(gaps)
    assert (found["low"], found["high"]) == pytest.approx((gaps.mean() - half, gaps.mean() + half))


def test_pairing_sees_a_small_steady_gain(recordings):
    rng = np.random.default_rng(0)
    worse = recordings.assign(
        score_prediction=recordings["score_prediction"] + rng.choice([-1.0, 1.0], len(recordings))
    )
    worse["score_prediction"] += np.sign(worse["score_prediction"] - worse["score_target"]) * 0.5
    paired = paired_differences([worse.sample(frac=1, random_state=0)], [recordings])["mae"]
    alone = [estimates([table])["mae"] for table in (worse, recordings)]
    assert paired["value"] == pytest.approx(alone[0]["value"] - alone[1]["value"])
    assert paired["low"] > 0
    assert alone[0]["low"] < alone[1]["high"]  # unpaired intervals overlap


def test_paired_tables_must_agree(recordings):
    with pytest.raises(ValueError, match="only the first has r0000; only the second has none"):
        paired_differences([recordings], [recordings.iloc[1:]])
    changed = recordings.copy()
    changed.loc[2, "score_target"] += 1
    with pytest.raises(ValueError, match="disagree on 'score_target' of r0002"):
        paired_differences([recordings], [changed])
    with pytest.raises(ValueError, match="same recordings once each"):
        paired_differences([pd.concat([recordings, recordings.iloc[:1]])], [recordings])


def test_fast_enough(cohort):
    table = cohort(subjects=50, visits=4)
    start = time.process_time()
    estimates([table], [0.5])
    assert time.process_time() - start < 1
