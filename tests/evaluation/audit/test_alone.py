import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evaluation.audit.alone import (
    category_scores,
    enough,
    measured_alone,
    regression_scores,
    text_scores,
)


def drawn(seed, persons=40, visits=2):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(persons) % 2, visits).astype(float)
    return rng, labels, np.repeat(np.arange(persons), visits)


def test_two_categories_score_what_their_table_says():
    _, labels, persons = drawn(0)
    values = np.where(
        (persons % 10) < 8, labels, 1 - labels
    )  # of every ten persons two are on the other side
    scores = category_scores(values, labels, persons)
    assert roc_auc_score(labels, scores) == pytest.approx(roc_auc_score(labels, values), abs=1e-12)
    assert measured_alone(labels, scores, persons).value == pytest.approx(0.8)


def test_categories_of_other_persons_alone_are_used():
    _, labels, persons = drawn(0)
    scores = category_scores(persons, labels, persons)  # everyone is a category, which nobody else shares
    assert (scores == 0.5).all()


def test_a_category_that_one_recording_has_is_chance():
    _, labels, persons = drawn(1)
    scores = category_scores(np.arange(len(labels)) == 7, labels, persons)
    assert measured_alone(labels, scores, persons).value == 0.5


def test_categories_without_a_meaning_are_chance():
    values = []
    for seed in range(40):
        rng, labels, persons = drawn(seed)
        own = rng.integers(0, 3, 40)[persons]
        values.append(measured_alone(labels, category_scores(own, labels, persons), persons).value)
    assert np.mean(values) == pytest.approx(0.5, abs=0.06)


def test_a_regression_is_that_of_scikit_learn_in_the_same_folds():
    rng, labels, persons = drawn(3)
    features = rng.normal(size=(len(labels), 5)) + 0.7 * labels[:, None]
    folds = StratifiedGroupKFold(n_splits=5, shuffle=True, random_state=0)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    expected = cross_val_predict(
        model, features, labels, groups=persons, cv=folds, method="decision_function"
    )
    found = regression_scores(features, labels, persons)
    for _, test in folds.split(
        features, labels, persons
    ):  # they differ by what training persons have on average
        apart = found[test] - expected[test]
        np.testing.assert_allclose(apart, apart[0], atol=1e-9)
        assert roc_auc_score(labels[test], found[test]) == roc_auc_score(labels[test], expected[test])


def test_a_regression_takes_what_is_missing_for_a_fact():
    rng, labels, persons = drawn(4)
    features = np.where(labels == 1, np.nan, rng.normal(size=len(labels)))[:, None]
    assert roc_auc_score(labels, regression_scores(features, labels, persons)) == 1


def test_words_are_found_anywhere_and_digits_are_not_told_apart():
    rng, labels, persons = drawn(5)
    letters = ["".join(rng.choice(list("kvwxz"), 6)) for _ in labels]
    words = [f"{text}_{'pat' if label else 'con'}_1" for text, label in zip(letters, labels, strict=True)]
    assert roc_auc_score(labels, text_scores(words, labels, persons)) == 1
    numbers = [f"S{int(1000 + 2 * person + label)}" for person, label in zip(persons, labels, strict=True)]
    assert np.ptp(text_scores(numbers, labels, persons)) < 1e-9


def test_the_corrected_end_lies_below_the_interval():
    rng, labels, persons = drawn(6)
    found = measured_alone(labels, labels + rng.normal(size=len(labels)), persons, tail=1e-4)
    assert found.corrected < found.low < found.value < found.high
    assert found.persons == 40


def test_five_persons_of_each_class_are_enough():
    labels, persons = np.repeat([0.0, 1.0], 5), np.arange(10)
    assert enough(labels, persons)
    assert not enough(labels, np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 8]))
