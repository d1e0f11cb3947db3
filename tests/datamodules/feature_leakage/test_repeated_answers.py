"""Answers under innocent names are found; behavior that follows them is not taken for them."""

import numpy as np
import pandas as pd
import pytest

from datamodules.feature_leakage.channels import LeakageError
from datamodules.feature_leakage.repeated_answers import answers_of, check_features, repeated_answers
from datamodules.synthetic.questionnaire import answer, symptom_profile, totals

N = 200


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    severity = rng.standard_normal(N)
    items = [answer(value, symptom_profile(rng), rng) for value in severity]
    frame = pd.DataFrame(items).astype(float)
    score = np.array([totals(own)["BDI-II"] for own in items], dtype=float)
    return frame.assign(score=score, binary=(score >= 14).astype(float), severity=severity)


def planted(table, values):
    """The leaky column among 300 of noise."""
    noise = np.random.default_rng(1).standard_normal((N, 300))
    return pd.DataFrame(noise, columns=[f"au_{j}" for j in range(300)]).assign(au12_mean=values)


LEAKS = {
    "an item": lambda t: t["item_dass21_03"],
    "an item upside down": lambda t: 3 - t["item_bdi2_04"],
    "a linear function of an item": lambda t: 0.2 + 0.05 * t["item_phq9_9"],
    "a monotone function of an item": lambda t: np.exp(-t["item_dass21_21"]),
    "an item with jitter": lambda t: t["item_dass21_10"] + np.linspace(0, 0.4, N),
    "an item cut in two": lambda t: (t["item_bdi2_01"] > 0).astype(float),
    "the score": lambda t: np.sqrt(t["score"]),
    "the band of the score": lambda t: np.digitize(t["score"], [14, 20, 29]).astype(float),
    "the target": lambda t: 7 - 2 * t["binary"],
    "the target with jitter": lambda t: t["binary"] + np.random.default_rng(2).uniform(0, 0.9, N),
    "another total": lambda t: t.filter(like="item_phq9").sum(axis=1),
    "a subscale": lambda t: t[[f"item_dass21_{j:02d}" for j in (2, 4, 7, 9, 15, 19, 20)]].sum(axis=1),
    "a component of items": lambda t: t.filter(like="item_bdi2") @ np.linspace(-1, 1, 21),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_an_answer_under_an_innocent_name_is_found_and_nothing_else(leak, table):
    assert set(repeated_answers(planted(table, leak(table)), answers_of(table))) == {"au12_mean"}


def test_the_severity_behind_the_answers_is_not_an_answer(table):
    assert repeated_answers(planted(table, table["severity"]), answers_of(table)) == {}


def test_rows_without_numbers_on_either_side_are_left_out(table):
    features, answers = planted(table, table["item_dass21_03"]), answers_of(table)
    features.loc[:40, "au12_mean"] = np.nan
    features.loc[100:, "au_0"] = np.nan
    answers.loc[60:90] = np.nan
    assert repeated_answers(features, answers) == {"au12_mean": "orders persons as item_dass21_03"}


def test_agreement_that_chance_arranges_is_no_alarm(table):
    few = table.iloc[:24].copy()
    few["item_dass21_19"] = [1.0, *[0.0] * 23]
    features = pd.DataFrame({"au45_present_max": few["item_dass21_19"], "gaze": 1.0})
    assert repeated_answers(features, answers_of(few)) == {}
    assert repeated_answers(features.iloc[:1], answers_of(few.iloc[:1])) == {}


def test_the_error_names_the_feature_and_what_it_repeats(table):
    with pytest.raises(LeakageError, match=r"au12_mean \(orders persons as item_dass21_03\)"):
        check_features(planted(table, table["item_dass21_03"]), table)
    with pytest.raises(LeakageError, match="item_dass21_03"):
        check_features(table[["item_dass21_03"]], table[["score"]])
    check_features(planted(table, table["severity"]).assign(recording_id="r"), table)


def test_only_what_was_asked_for_may_leak(table):
    check_features(table[["item_dass21_03"]], table, allowed=["item_*"])
    with pytest.raises(LeakageError, match="innocent"):
        check_features(table[["item_dass21_03"]].assign(innocent=table["score"]), table, allowed=["item_*"])


def test_a_table_without_answers_is_fine():
    check_features(pd.DataFrame({"au01_mean": np.arange(30.0)}), pd.DataFrame({"path": [""] * 30}))
