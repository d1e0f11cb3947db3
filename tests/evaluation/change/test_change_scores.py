import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evaluation.change.change_rule import ChangeRule, NoRule, learn_rule
from evaluation.change.change_scores import (
    COLUMNS,
    NOT_MEASURED,
    Learned,
    change_scores,
    learn_change,
    summary,
    within_scale,
)
from evaluation.change.visit_pairs import Pairs, visit_table, windows, with_known_scores

NOISE = 9.0


def recordings(persons, visits, *, seed, stable=False, slope=0.5, error=3.0, spread=8.0):
    """Shrunken true scores plus an error of the person and one of the visit; scores have noise."""
    rng = np.random.default_rng(seed)
    own, visit = rng.normal(0, 6, (persons, 1)), rng.normal(0, spread, (persons, visits))
    true = 30 + own + (visit[:, :1] if stable else visit) + np.zeros((1, visits))
    predicted = 15 + slope * (true - 15) + rng.normal(0, 5, (persons, 1)) + rng.normal(0, error, true.shape)
    return pd.DataFrame(
        {
            "recording_id": [f"r{row}" for row in range(true.size)],
            "subject_id": np.repeat([f"p{one:04d}" for one in range(persons)], visits),
            "session_id": np.tile([f"V{one + 1}" for one in range(visits)], persons),
            "score_prediction": predicted.ravel(),
            "score_target": (true + rng.normal(0, NOISE**0.5, true.shape)).ravel(),
        }
    )


def test_the_rule_finds_slope_and_noise_of_the_simulation():
    rule = learn_change(recordings(1000, 4, seed=0), noise=NOISE).rule
    assert rule.slope == pytest.approx(0.5, rel=0.04)
    assert rule.visits == (1, 2, 3)
    assert rule.noise == pytest.approx([9 * (1 + 1 / n) for n in rule.visits], rel=0.08)
    assert rule.bound(1) / rule.slope == pytest.approx(1.96 * 18**0.5 / 0.5, rel=0.06)


def test_noise_of_the_questionnaire_that_is_not_taken_out_makes_alarms_rarer():
    table = recordings(600, 4, seed=1)
    known, unknown = (learn_change(table, noise=noise).rule for noise in (NOISE, None))
    assert unknown.bound(1) > known.bound(1)
    assert unknown.slope < known.slope


@pytest.mark.parametrize("persons", [20, 60])
def test_five_percent_of_stable_persons_are_flagged(persons):
    stable, shares = recordings(500, 2, seed=2, stable=True), []
    for study in range(12):
        rule = learn_change(recordings(persons, 4, seed=100 + study), noise=NOISE).rule
        shares.append(change_scores(stable, rule)["changed"].mean())
    assert 0.03 <= np.mean(shares) <= 0.07


def test_intervals_hold_the_true_change():
    rule = learn_change(recordings(80, 4, seed=3), noise=NOISE).rule
    table = recordings(2000, 2, seed=4, error=3.0)
    found = change_scores(table, rule)
    held = (found["low"] <= found["target"]) & (found["target"] <= found["high"])
    # the questionnaire's own change has noise that the interval of the true change does not cover
    expected = 2 * stats.norm.cdf(1.96 / np.sqrt(1 + 2 * NOISE * 0.25 / 18)) - 1
    assert held.mean() == pytest.approx(expected, abs=0.035)
    assert found["change"].std() > found["target"].std()


def rule_by_hand(**changed):
    given = {
        "visits": (1, 2), "noise": (4.0, 3.0), "df": (30.0, 30.0), "slope": 0.5, "slope_variance": 0.0,
        "known": False, "intercept": 0.0, "level": 1.0, "persons": 40, "middle": 10.0, "steepness": 0.0,
    }  # fmt: skip
    return ChangeRule(**given | changed)


def one_pair(prediction, baseline, visits=1):
    scores = np.full((1, 2), np.nan)
    values = np.array([float(prediction)]), np.array([float(baseline)])
    return Pairs(
        np.array(["p"], dtype=object), ["V1"], np.array(["V2"], dtype=object), *values, scores, visits, False
    )


def test_closed_form_without_uncertainty_of_the_slope():
    change, low, high, smallest = (float(np.squeeze(own)) for own in rule_by_hand().changes(one_pair(13, 10)))
    c = stats.t.ppf(0.975, 30)
    assert change == pytest.approx(6.0)
    assert (low, high) == pytest.approx((6 - 4 * c, 6 + 4 * c))
    assert smallest == pytest.approx(4 * c)


def test_the_interval_excludes_zero_exactly_beyond_the_smallest_change():
    rule = rule_by_hand(slope_variance=0.01)
    for x in np.linspace(-12, 12, 49):
        change, low, high, smallest = rule.changes(one_pair(10 + x, 10))
        assert ((low > 0) | (high < 0)) == (abs(change) > smallest)
        t = stats.t.ppf(0.975, 39)  # Fieller: at both ends the statistic is as far off as its own error
        for end in (low, high):
            bound = rule.bound(1) ** 2 + t**2 * 0.01 * end**2
            assert (x - 0.5 * end) ** 2 == pytest.approx(bound)


def test_more_visits_than_were_learned_on_have_the_noise_of_the_most():
    rule = rule_by_hand()
    assert rule.bound(7) == rule.bound(2) < rule.bound(1)
    with pytest.raises(ValueError, match="learned on 2 and more"):
        rule_by_hand(visits=(2,), noise=(4.0,), df=(30.0,)).bound(1)


def test_rows_name_the_visits_and_the_last_ones_serve_as_baseline():
    table = recordings(1, 4, seed=5)
    found = change_scores(table, rule_by_hand())
    assert list(found) == list(COLUMNS)
    assert found[["from", "to", "visits"]].to_numpy().tolist() == [
        ["V1", "V2", 1], ["V1, V2", "V3", 2], ["V2, V3", "V4", 2],
    ]  # fmt: skip
    p, y = table["score_prediction"], table["score_target"]
    assert found["change"][2] == pytest.approx((p[3] - (p[1] + p[2]) / 2) / 0.5)
    assert found["target"][2] == pytest.approx(y[3] - (y[1] + y[2]) / 2)


def test_recordings_of_a_visit_are_one_and_unknown_persons_none():
    table = pd.concat([recordings(1, 2, seed=6)] * 2).assign(score_prediction=[1.0, 5.0, 3.0, 9.0])
    pairs = windows(visit_table(table), 1)
    assert (pairs.baseline.tolist(), pairs.prediction.tolist()) == ([2.0], [7.0])
    assert visit_table(table.assign(subject_id="unknown")).empty


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (recordings(9, 4, seed=7), "9 validation persons"),
        (recordings(60, 4, seed=7, slope=0.0), "do not follow the changes"),
        (recordings(60, 4, seed=7, stable=True), "own noise|do not follow|single"),
        (recordings(60, 1, seed=7), "no validation person has two"),
        (recordings(60, 2, seed=7).replace({"V1": "pre", "V2": "post"}), "order of visits"),
        (recordings(60, 2, seed=7).drop(columns="score_prediction"), "points of a score"),
        (recordings(60, 2, seed=7).assign(known_visits=1), NOT_MEASURED),
    ],
)
def test_nothing_where_it_cannot_be_known(table, reason):
    learned = learn_change(table, noise=NOISE)
    assert learned.rule is None
    assert re.search(reason, learned.reason)
    assert summary(learned, pd.DataFrame()) == {"reason": learned.reason}


def test_known_scores_are_those_of_the_visits_that_stood_behind():
    facts = pd.DataFrame({"subject_id": "p", "session_id": ["V1", "V2", "a, b"], "score": [10.0, 20.0, 60.0]})
    asked = pd.DataFrame({"subject_id": "p", "session_id": ["V1", "V2", "V4"]})
    asked["known_names"] = [(), ("V1",), ("V2", "a, b")]  # V1 could not be read
    found = with_known_scores(asked, facts)
    assert found["known_scores"].tolist() == [0, 1, 2]
    assert found["known_score"].tolist()[1:] == [10.0, 40.0]
    pd.testing.assert_frame_equal(
        with_known_scores(asked.drop(columns="known_names"), facts), asked.drop(columns="known_names")
    )


def known(persons, *, seed, stable=False, leans=0.3):
    """Three visits; the prediction of a later one sees the face and leans on the mean of earlier scores."""
    rng = np.random.default_rng(seed)
    table = recordings(persons, 3, seed=seed, stable=stable, error=2.0).assign(
        known_visits=np.tile([0, 1, 2], persons)
    )
    table["known_names"] = [(), ("V1",), ("V1", "V2")] * persons
    facts = table.rename(columns={"score_target": "score"})
    table = with_known_scores(table, facts)
    table["score_prediction"] += leans * table["known_score"] + rng.normal(0, 0.1, len(table))
    return table.assign(score_moved=table["score_prediction"] + leans).dropna(subset=["score_prediction"])


def test_known_scores_as_baseline_hold_five_percent():
    stable, shares = known(300, seed=8, stable=True), []
    for study in range(10):
        learned = learn_change(known(80, seed=200 + study), noise=NOISE)
        found = change_scores(stable, learned.rule)
        assert set(found["baseline_of"]) == {"known scores"}
        shares.append(found["changed"].mean())
    assert 0.03 <= np.mean(shares) <= 0.07


def test_no_rule_says_why():
    with pytest.raises(NoRule, match="10 are needed"):
        learn_rule([windows(visit_table(recordings(5, 2, seed=9)), 1)], noise=NOISE)


def test_a_rule_that_only_changes_beyond_half_of_the_scale_would_pass_is_none():
    visits = {"visits": (1, 3), "noise": (81.0, 16.0), "df": (40.0, 40.0)}
    rest = {"slope_variance": 0.001, "known": False, "intercept": 0.0, "level": 1.0, "persons": 40}
    rule = ChangeRule(slope=0.4, middle=20.0, steepness=0.0, **visits, **rest)
    smallest = {n: rule.bound(n) / rule.slope for n in rule.visits}
    assert smallest[3] < 31.5 < smallest[1]
    kept = within_scale(Learned(rule), 31.5, words="half of it").rule
    assert kept.visits == (3,)
    assert kept.bound(3) == rule.bound(3)
    assert kept.reach(2) is None
    none = within_scale(Learned(replace(rule, slope=0.2)), 31.5, words="half of it")
    assert none.rule is None
    assert "points, more than half of it (31.5)" in none.reason
    assert within_scale(Learned(replace(rule, slope=0.9)), 31.5, words="half of it").rule.visits == (1, 3)
