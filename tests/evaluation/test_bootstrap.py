import time

import numpy as np
import pandas as pd
import pytest

from evaluation import weighted
from evaluation.bootstrap import (
    bootstrap,
    paired_difference,
    percentile_interval,
    subject_weights,
)
from evaluation.measures import subject_codes


def test_whole_persons_are_drawn():
    subjects = ["a", "b", "a", "c", "b", "a"]
    weights = np.concatenate(list(subject_weights(subjects, n_boot=1000, seed=0)))
    assert weights.shape == (1000, 6)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 0] == weights[:, 5]).all()
    assert (weights[:, 1] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()  # as many persons as there are
    assert weights[:, 0].mean() == pytest.approx(1, abs=0.1)


def test_unknown_persons_are_not_one_person():
    codes = subject_codes(["unknown", "a", "unknown", "a"])
    assert len(set(codes)) == 3
    assert codes[1] == codes[3]


def test_too_few_resamples_are_refused():
    with pytest.raises(ValueError, match="at least 1000"):
        list(subject_weights(["a", "b"], n_boot=100, seed=0))


@pytest.mark.slow
def test_interval_covers_the_truth_as_often_as_it_says():
    """Errors share a part within a person; an interval that ignores it is far too narrow."""
    rng = np.random.default_rng(0)
    subjects, visits, runs = 40, 5, 200
    person = np.repeat(np.arange(subjects), visits)
    hits = {"persons": 0, "recordings": 0}
    for run in range(runs):
        error = np.repeat(rng.exponential(3.0, subjects), visits) + rng.exponential(1.0, person.size)
        for name, clusters in (("persons", person), ("recordings", np.arange(person.size))):
            weights = np.concatenate(list(subject_weights(clusters, n_boot=1000, seed=run)))
            low, high, _ = percentile_interval(weighted.mae(np.zeros(person.size), error, weights))
            hits[name] += low <= 4.0 <= high
    assert 0.88 <= hits["persons"] / runs <= 0.98
    assert hits["recordings"] / runs < 0.8


def test_every_metric_lies_in_its_interval(recordings):
    out = bootstrap(recordings, threshold=0.5, n_boot=1000, seed=0)
    assert {"auc", "mae", "ccc", "uar", "pearson_within", "quadratic_kappa"} <= set(out)
    for name, estimate in out.items():
        if name != "ece":
            assert estimate["low"] <= estimate["value"] <= estimate["high"], name
    assert out["ece"]["low"] is None
    assert "biases" in out["ece"]["reason"]


def test_seeded_and_independent_of_row_order(recordings):
    shuffled = recordings.sample(frac=1, random_state=1)
    first = bootstrap(recordings, n_boot=1000, seed=3)
    second = bootstrap(shuffled, n_boot=1000, seed=3)
    other = bootstrap(recordings, n_boot=1000, seed=4)
    assert first["auc"] == pytest.approx(second["auc"])
    assert first["mae"]["low"] != other["mae"]["low"]


def test_fast_enough(cohort):
    table = cohort(subjects=50, visits=4)
    start = time.perf_counter()
    bootstrap(table, threshold=0.5, n_boot=2000, seed=0)
    assert time.perf_counter() - start < 2


def test_one_person_has_no_interval(recordings):
    one = recordings.assign(subject_id="p1")
    estimate = bootstrap(one, n_boot=1000)["mae"]
    assert estimate["value"] > 0
    assert estimate["low"] is None
    assert "only one person" in estimate["reason"]


def test_mostly_undefined_resamples_give_no_interval(recordings):
    positive = recordings["subject_id"] == "p000"
    table = recordings.assign(binary_target=positive.astype(float))
    estimate = bootstrap(table, n_boot=1000)["auc"]
    assert estimate["value"] is not None
    assert estimate["low"] is None
    assert "of the resamples" in estimate["reason"]


def test_a_table_paired_with_itself_differs_by_nothing(recordings):
    for estimate in paired_difference(recordings, recordings, n_boot=1000).values():
        if estimate["value"] is not None:
            assert estimate == {"value": 0, "low": 0, "high": 0}


def test_pairing_sees_a_small_steady_gain(recordings):
    rng = np.random.default_rng(0)
    worse = recordings.assign(
        score_prediction=recordings["score_prediction"] + rng.choice([-1.0, 1.0], len(recordings))
    )
    worse["score_prediction"] += np.sign(worse["score_prediction"] - worse["score_target"]) * 0.5
    paired = paired_difference(worse.sample(frac=1, random_state=0), recordings, n_boot=1000)["mae"]
    alone = [bootstrap(t, n_boot=1000)["mae"] for t in (worse, recordings)]
    assert paired["value"] == pytest.approx(alone[0]["value"] - alone[1]["value"])
    assert paired["low"] > 0
    assert alone[0]["low"] < alone[1]["high"]  # unpaired intervals overlap


def test_paired_tables_must_agree(recordings):
    with pytest.raises(ValueError, match=r"not in both: \['r0000'\]"):
        paired_difference(recordings, recordings.iloc[1:], n_boot=1000)
    changed = recordings.copy()
    changed.loc[2, "score_target"] += 1
    with pytest.raises(ValueError, match=r"disagree on score_target of \['r0002'\]"):
        paired_difference(recordings, changed, n_boot=1000)
    with pytest.raises(ValueError, match="same recordings once"):
        paired_difference(pd.concat([recordings, recordings.iloc[:1]]), recordings, n_boot=1000)
