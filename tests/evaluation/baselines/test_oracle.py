"""The ceilings are what the truth makes them: equal without habits, apart with them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from evaluation.baselines import oracle
from evaluation.baselines.line_names import ORACLES
from evaluation.baselines.oracle import oracle_lines, oracle_views


def cohort(*, spread, persons=60, visits=5, seed=0, stability=0.0):
    """One statistic carries severity on top of a habit; a second one is noise."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(persons), visits)
    habit = spread * rng.standard_normal((persons, 2))[person]
    severity = np.sqrt(1 - stability) * rng.standard_normal(len(person))
    severity += np.sqrt(stability) * rng.standard_normal(persons)[person]
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


def auc(spread, known="all", **settings):
    lines = oracle_lines(*cohort(spread=spread, **settings), known=known)
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
    view = oracle_views(truth, table, train=table["recording_id"])["enrolment"]
    a = truth["stat_a_mean"].to_numpy()
    assert view[4, 0] == pytest.approx(a[4] - (a[3] + a[5]) / 2)


def test_the_report_has_a_name_for_every_oracle():
    truth, table, *_ = cohort(spread=1.0, persons=40, visits=2)
    assert list(oracle_views(truth, table, train=table["recording_id"])) == list(ORACLES)


def test_a_person_with_one_recording_has_no_enrolment():
    truth, table, *_ = cohort(spread=1.0, persons=3, visits=1)
    views = oracle_views(truth, table, train=table["recording_id"])
    assert np.isnan(views["enrolment"]).all()
    assert np.isnan(views["both"]).any(axis=1).all()


def test_without_other_visits_readers_see_the_recording_alone(monkeypatch):
    tables = []
    monkeypatch.setattr(oracle, "estimates", lambda t: tables.append(t[0]) or {})
    lines = list(oracle_lines(*cohort(spread=1.0, persons=40, visits=1)))
    found = dict(zip(lines, tables, strict=True))
    assert len(found["enrolment"]) == 0
    for name in ("both", "calibrated", "both + earlier scores"):
        pd.testing.assert_frame_equal(found[name][found["raw"].columns], found["raw"])
    assert found["earlier scores"]["binary_prediction"].nunique() == 1


@pytest.mark.slow
def test_known_scores_keep_the_ceiling_where_severity_is_stable():
    found = auc(2.0, persons=120, stability=0.8)
    assert found["enrolment"] < 0.75  # the illness leaves with the habit
    assert found["both"] > max(found["raw"], found["enrolment"]) - 0.02
    assert found["earlier scores"] > 0.8
    assert found["calibrated"] > found["both"] + 0.05
    assert found["both + earlier scores"] > found["earlier scores"] + 0.03
    assert found["relative"] > found["both + earlier scores"]
    unstable = auc(2.0, persons=120)
    assert unstable["earlier scores"] == pytest.approx(0.5, abs=0.06)


def scored(persons=3, visits=4):
    truth, table, *_ = cohort(spread=1.0, persons=persons, visits=visits)
    return truth, table, table["recording_id"].tolist()


def test_calibrated_takes_out_what_earlier_scores_explain():
    truth, table, ids = scored()
    train = ids[:8]
    view = oracle_views(truth, table, train=train)["calibrated"]
    x, s = truth[["stat_a_mean", "stat_b_mean"]].to_numpy(), table["score"].to_numpy()
    person = table["subject_id"].to_numpy()
    # the within-person slope is that of a regression with an intercept for each person
    design = np.column_stack([s[:8], person[:8, None] == np.unique(person[:8])])
    slope = np.linalg.lstsq(design, x[:8], rcond=None)[0][0]
    centered = s - s[:8].mean()
    expected = x[10] - np.mean([x[8] - slope * centered[8], x[9] - slope * centered[9]], axis=0)
    np.testing.assert_allclose(view[10], expected)
    assert np.isnan(view[[0, 4, 8]]).all()  # first visits


@pytest.mark.parametrize(("known", "first"), [("all", [8, 9, 10]), (2, [8, 9]), (1, [8])])
def test_earlier_scores_are_those_of_known_earlier_visits(known, first):
    truth, table, ids = scored()
    views = oracle_views(truth, table, train=ids, known=known)
    s = table["score"].to_numpy() - table["score"].mean()
    np.testing.assert_allclose(views["earlier scores"][11], [s[first].mean(), s[first[-1]]])
    a = truth["stat_a_mean"].to_numpy()
    np.testing.assert_allclose(
        views["both + earlier scores"][11, [0, 2, 4, 5]],
        [a[11], a[11] - a[first].mean(), s[first].mean(), s[first[-1]]],
    )


def test_neither_its_own_nor_a_later_score_reaches_a_recording():
    truth, table, ids = scored(persons=6)
    train, row = ids[:16], 18  # third visit of a person that is not trained on
    changed = table.copy()
    changed.loc[[18, 19], "score"] = 60.0
    before, after = (oracle_views(truth, t, train=train) for t in (table, changed))
    for name in before:
        np.testing.assert_array_equal(before[name][row], after[name][row])
    changed.loc[17, "score"] = 60.0
    after = oracle_views(truth, changed, train=train)
    assert all((before[n][row] != after[n][row]).any() for n in ("calibrated", "earlier scores"))


def test_a_visit_without_a_score_counts_as_the_mean_one():
    truth, table, ids = scored(persons=6)
    missing, mean = table.copy(), table.copy()
    missing.loc[17, "score"] = np.nan
    mean.loc[17, "score"] = table["score"][:16].mean()
    views = [oracle_views(truth, t, train=ids[:16])["calibrated"] for t in (missing, mean)]
    np.testing.assert_allclose(*views)


def test_first_visits_are_read_as_the_recording_alone(monkeypatch):
    truth, table, train, test = cohort(spread=1.0, persons=16, visits=3)
    tables = []
    monkeypatch.setattr(oracle, "estimates", lambda t: tables.append(t[0]) or {})
    lines = list(oracle_lines(truth, table, train, test))
    found = dict(zip(lines, tables, strict=True))
    first = found["raw"]["session_id"] == "0"
    for name, predicted in found.items():
        assert predicted["recording_id"].tolist() == test, name
        same = predicted["score_prediction"] == found["raw"]["score_prediction"]
        assert same[first].all() == (name in ("raw", "calibrated", "both + earlier scores"))
    alone = found["earlier scores"]["score_prediction"][first]
    np.testing.assert_allclose(alone, table["score"][table["recording_id"].isin(train)].mean())


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
