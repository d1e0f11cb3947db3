"""The ceilings are what the truth makes them: equal without habits, apart with them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from evaluation.baselines.oracle import oracle_lines, oracle_views


def cohort(*, spread, persons=60, visits=5, seed=0):
    """One statistic carries severity on top of a habit; a second one is noise."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(persons), visits)
    habit = spread * rng.standard_normal((persons, 2))[person]
    severity = rng.standard_normal(len(person))
    stats = (
        habit
        + np.c_[severity, rng.standard_normal(len(person))]
        + 0.3 * rng.standard_normal((len(person), 2))
    )
    ids = [f"r{i:03d}" for i in range(len(person))]
    truth = pd.DataFrame({"recording_id": ids, "severity": severity})
    for j, name in enumerate(("a_mean", "b_mean")):
        truth[f"stat_{name}"], truth[f"habit_{name}"] = stats[:, j], habit[:, j]
    table = pd.DataFrame(
        {
            "recording_id": ids,
            "subject_id": [f"s{p:02d}" for p in person],
            "session_id": [str(i % visits) for i in range(len(person))],
            "binary": (severity > 0).astype(int),
            "score": 10 * severity,
        }
    )
    cut = persons // 2 * visits
    return truth, table, ids[:cut], ids[cut:]


def auc(spread):
    lines = oracle_lines(*cohort(spread=spread))
    return {name: line["auc"]["value"] for name, line in lines.items()}


@pytest.mark.slow
def test_habits_open_the_gap_between_raw_and_relative():
    on, off = auc(2.0), auc(0.0)
    assert on["relative"] > 0.95
    assert on["raw"] < on["enrolment"] - 0.1
    assert on["raw"] < on["relative"] - 0.2
    assert off["raw"] == pytest.approx(off["relative"], abs=0.02)


@pytest.mark.slow
def test_the_raw_line_is_the_auc_of_the_statistic_that_carries_severity():
    truth, table, train, test = cohort(spread=2.0, persons=400)
    rows = table["recording_id"].isin(test)
    expected = roc_auc_score(table.loc[rows, "binary"], truth.loc[rows, "stat_a_mean"])
    line = oracle_lines(truth, table, train, test)["raw"]["auc"]
    assert line["value"] == pytest.approx(expected, abs=0.02)
    assert line["low"] < expected < line["high"]


def test_enrolment_is_the_mean_of_the_other_recordings():
    truth, table, *_ = cohort(spread=1.0, persons=3, visits=3)
    view = oracle_views(truth, table)["enrolment"]
    a = truth["stat_a_mean"].to_numpy()
    assert view[4, 0] == pytest.approx(a[4] - (a[3] + a[5]) / 2)


def test_a_person_with_one_recording_has_no_enrolment():
    truth, table, *_ = cohort(spread=1.0, persons=3, visits=1)
    assert np.isnan(oracle_views(truth, table)["enrolment"]).all()


@pytest.mark.slow
def test_the_test_labels_change_no_prediction():
    truth, table, train, test = cohort(spread=1.0)
    flipped = table.assign(score=np.where(table["recording_id"].isin(test), -table["score"], table["score"]))
    before, after = (oracle_lines(truth, t, train, test)["raw"]["pearson"]["value"] for t in (table, flipped))
    assert after == pytest.approx(-before)


@pytest.mark.parametrize(("damage", "message"), [("row", "r000"), ("habit", "no habit")])
def test_truth_that_does_not_fit_is_refused(damage, message):
    truth, table, train, test = cohort(spread=1.0)
    truth = truth.iloc[1:] if damage == "row" else truth.drop(columns="habit_a_mean")
    with pytest.raises(ValueError, match=message):
        oracle_lines(truth, table, train, test)
