import numpy as np
import pandas as pd
import pytest

from evaluation.change.questionnaire_noise import noise_of_items, noise_of_totals

ITEMS = [f"item_{j}" for j in range(12)]


def answers(persons, visits, *, seed=0):
    """Answers of one severity a visit, a pattern of each person, and noise of variance .25 an item."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(persons), visits)
    pattern = rng.normal(0, 2, (persons, len(ITEMS)))[person]
    values = rng.normal(size=(len(person), 1)) + pattern + rng.normal(0, 0.5, (len(person), len(ITEMS)))
    table = pd.DataFrame(values, columns=ITEMS)
    return table.assign(
        subject_id=[f"p{one}" for one in person],
        session_id=np.tile([f"V{v}" for v in range(visits)], persons),
    )


def test_what_belongs_to_the_person_is_no_noise():
    table = answers(400, 4)
    assert noise_of_items(table, ITEMS) == pytest.approx(12 * 0.25, rel=0.05)
    assert noise_of_items(table, ITEMS, doubled=True) == pytest.approx(4 * 12 * 0.25, rel=0.05)


def test_it_is_alpha_of_the_changes():
    table = answers(30, 2)
    steps = table[ITEMS].to_numpy()[1::2] - table[ITEMS].to_numpy()[::2]
    moments = steps.T @ steps / 30
    alpha = 12 / 11 * (1 - np.trace(moments) / moments.sum())
    assert noise_of_items(table, ITEMS) == pytest.approx((1 - alpha) * moments.sum() / 2)


def test_one_visit_a_person_or_unknown_persons_say_nothing():
    assert noise_of_items(answers(30, 1), ITEMS) is None
    assert noise_of_items(answers(30, 2).assign(subject_id="unknown"), ITEMS) is None


def test_a_published_reliability_serves_totals():
    scores = [0.0, 10.0, 20.0, np.nan]
    assert noise_of_totals(scores, "BDI-II") == pytest.approx(0.08 * 100)
    assert noise_of_totals(scores, "PHQ-8") is None
