"""What single facts say of the label: planted ones are found, noise is not, none answers for itself."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from evaluation.audit.leaking_facts import audit_facts, look_up
from evaluation.metrics.definitions import auc_of_many

PERSONS, VISITS = 40, 3
rng = np.random.default_rng(0)
PERSON = np.repeat(np.arange(PERSONS), VISITS)
N = len(PERSON)
LABEL = (rng.normal(size=PERSONS)[PERSON] + rng.normal(size=N) > 0).astype(float)
NOISE = pd.DataFrame({f"noise {k}": rng.normal(size=PERSONS)[PERSON] + rng.normal(size=N) for k in range(30)})
NOTHING = pd.DataFrame({"constant": np.zeros(N)})


def verdicts(answer):
    return {one["fact"]: one["verdict"] for one in answer["found"] if one["verdict"]}


def of(answer, fact, site=""):
    return next(one for one in answer["found"] if one["fact"] == fact and one["site"] == site)


def test_noise_says_nothing():
    answer = audit_facts(NOISE, NOTHING, LABEL, PERSON, None)
    assert verdicts(answer) == {}
    assert answer["facts"] == 30
    assert all(one["value"] < 0.75 for one in answer["found"])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_fact_of_the_input_that_orders_people_stops(sign):
    facts = NOISE.assign(mean=sign * (LABEL + 0.2 * rng.normal(size=N)))
    found = of(audit_facts(facts, NOTHING, LABEL, PERSON, None), "mean")
    assert found["verdict"] == "stops"
    assert found["question"] == ("higher" if sign == 1 else "lower")
    assert found["low"] > 0.9
    assert found["corrected"] < found["low"]


def test_the_same_fact_of_the_file_is_told():
    facts = pd.DataFrame({"length": LABEL + 0.2 * rng.normal(size=N)})
    assert verdicts(audit_facts(NOISE, facts, LABEL, PERSON, None)) == {"length": "tells"}


def test_what_is_not_monotone_is_looked_up():
    between = np.where(LABEL == 1, 0.0, rng.choice([-2.0, 2.0], N)) + 0.3 * rng.normal(size=N)
    answer = audit_facts(NOISE.assign(spread=between), NOTHING, LABEL, PERSON, None)
    found = of(answer, "spread")
    assert (found["question"], found["verdict"]) == ("look-up", "stops")


def test_a_value_that_is_missing_for_one_label_only_stops():
    facts = NOISE.assign(first=np.where(LABEL == 1, rng.normal(size=N), np.nan))
    assert of(audit_facts(facts, NOTHING, LABEL, PERSON, None), "first")["verdict"] == "stops"


def test_a_category_is_looked_up_in_other_persons():
    groups = pd.DataFrame({"site": np.where(LABEL == 1, "b", "a"), "person": PERSON.astype(str)})
    answer = audit_facts(NOISE, groups, LABEL, PERSON, None)
    assert of(answer, "site")["value"] == 1.0
    # every person is a category of their own, and nobody else is in it
    assert of(answer, "person")["value"] == 0.5


def test_a_person_does_not_answer_for_themselves():
    known = np.random.default_rng(5).permutation(np.arange(PERSONS) % 2)[PERSON].astype(float)
    unique = (1000.0 * PERSON)[:, None]  # the visits of a person lie together, the next person far away
    own, strangers = (look_up(unique, known, who)[:, 0] for who in (np.arange(N), PERSON))
    assert roc_auc_score(known, own) > roc_auc_score(known, strangers) + 0.1


def test_look_up_is_the_weighted_mean_of_the_nearest_eight():
    values = rng.permutation(30).astype(float)
    labels = rng.integers(0, 2, 30).astype(float)
    distance = np.abs(values[:, None] - values[None, :])
    weight = np.clip(1 - distance / 9, 0, None) * (distance > 0)
    expected = (weight * labels).sum(1) / weight.sum(1)
    np.testing.assert_allclose(look_up(values[:, None], labels, np.arange(30))[:, 0], expected)


def test_order_is_scikit_learns_auc():
    scores = np.round(rng.normal(size=(N, 5)), 1)
    expected = [roc_auc_score(LABEL, scores[:, k]) for k in range(5)]
    np.testing.assert_allclose(auc_of_many(LABEL, scores), expected)


def test_equal_values_take_nothing_from_the_order_of_the_table():
    order = np.argsort(LABEL, kind="stable")
    constant = look_up(np.zeros((N, 1)), LABEL[order], PERSON[order])[:, 0]
    assert abs(roc_auc_score(LABEL[order], constant) - 0.5) < 0.15


def test_a_leak_at_one_site_is_found_there():
    site = np.where(PERSON % 2 == 0, "north", "south")
    leak = np.where(site == "north", LABEL, rng.normal(size=N))
    answer = audit_facts(NOISE.assign(mean=leak), NOTHING, LABEL, PERSON, pd.Series(site))
    assert of(answer, "mean", "north")["value"] == 1.0
    assert of(answer, "mean", "")["verdict"] == ""
    assert not any(one["site"] == "south" and one["verdict"] for one in answer["found"])


def test_too_few_persons_are_not_judged():
    few = PERSON < 12
    facts = pd.DataFrame({"mean": LABEL, "noise": rng.normal(size=N)})
    answer = audit_facts(facts[few].reset_index(drop=True), NOTHING[few], LABEL[few], PERSON[few], None)
    assert of(answer, "mean")["verdict"] == "cannot tell"
    fewer = PERSON < 4
    answer = audit_facts(facts[fewer], NOTHING[fewer], LABEL[fewer], PERSON[fewer], None)
    assert "cannot tell" in answer["reason"]
