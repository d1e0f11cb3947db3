import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, RidgeClassifierCV

from biomarkers.estimators.linear import LogisticReader, RidgeReader, RidgeRegressor, person_folds

pytestmark = pytest.mark.slow  # seconds each

RNG = np.random.default_rng(0)
PERSONS = np.repeat(np.arange(20), 3)
Y = (PERSONS % 2).astype(float)
X = RNG.standard_normal((60, 8)) + Y[:, None]


def test_inner_folds_keep_persons_apart_and_classes_together():
    for fit, held in person_folds(Y, PERSONS, classes=True):
        assert not set(PERSONS[fit]) & set(PERSONS[held])
        assert set(Y[fit]) == {0.0, 1.0}
        assert 0.3 < Y[held].mean() < 0.7
    for fit, held in person_folds(RNG.random(60), PERSONS, classes=False):
        assert not set(PERSONS[fit]) & set(PERSONS[held])


def test_too_few_persons_are_an_error():
    with pytest.raises(ValueError, match="1 person in the training rows"):
        person_folds(Y, np.zeros(60), classes=False)
    with pytest.raises(ValueError, match="a class belongs to a single person"):
        person_folds([0, 0, 1, 1], ["a", "a", "b", "b"], classes=True)


@pytest.mark.parametrize(
    ("reader", "plain"),
    [(RidgeReader(), RidgeClassifier), (LogisticReader(), LogisticRegression)],
    ids=["ridge", "logistic"],
)
def test_a_reader_is_sklearns_at_the_chosen_penalty(reader, plain):
    reader = clone(reader).fit(X, Y, PERSONS)
    penalty = {"alpha": reader.alpha_} if plain is RidgeClassifier else {"C": 1 / reader.alpha_, "tol": 1e-8}
    expected = plain(**penalty).fit(X, Y).decision_function(X)
    found = reader.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(np.argsort(found), np.argsort(expected))
    np.testing.assert_array_equal(reader.predict(X), (expected > 0).astype(float))


def test_rotating_into_the_span_of_the_rows_changes_no_probability():
    wide = RNG.standard_normal((60, 300)) + 0.3 * Y[:, None]
    reader = LogisticReader(alphas=(10.0,)).fit(wide, Y, PERSONS)
    plain = LogisticRegression(C=0.1, tol=1e-8, max_iter=5000).fit(wide, Y)
    other = RNG.standard_normal((9, 300))
    np.testing.assert_allclose(reader.predict_proba(other), plain.predict_proba(other), atol=1e-4)


@pytest.mark.slow
def test_the_penalty_grows_when_persons_are_kept_apart():
    """Features that only tell persons apart look useful as long as a person is on both sides."""
    rng = np.random.default_rng(0)  # its own: which tests drew before depends on the worker
    who = rng.standard_normal((20, 200))[PERSONS] + 0.05 * rng.standard_normal((60, 200))
    label = (rng.random(20) < 0.5)[PERSONS].astype(float)
    apart = RidgeReader().fit(who, label, PERSONS).alpha_
    mixed = RidgeReader().fit(who, label, np.arange(60)).alpha_
    assert apart > 10 * mixed


def test_squashed_decisions_are_the_least_squares_probability_around_the_middle():
    reader = RidgeReader().fit(X, Y, PERSONS)
    d, p = reader.decision_function(X), reader.predict_proba(X)
    np.testing.assert_allclose(p.sum(1), 1)
    np.testing.assert_allclose(p[:, 1], 1 / (1 + np.exp(-2 * d)))
    near = np.abs(d) < 0.2
    assert near.any()
    np.testing.assert_allclose(p[near, 1], (1 + d[near]) / 2, atol=0.003)


@pytest.mark.slow
def test_more_than_two_classes():
    y = (PERSONS % 3).astype(str)
    x = RNG.standard_normal((60, 5)) + 3 * np.eye(5)[PERSONS % 3]
    for reader in (RidgeReader(), LogisticReader()):
        found = reader.fit(x, y, PERSONS)
        assert found.predict_proba(x).shape == (60, 3)
        assert (found.predict(x) == y).mean() > 0.9
    expected = RidgeClassifierCV(alphas=[RidgeReader().fit(x, y, PERSONS).alpha_]).fit(x, y).predict(x)
    np.testing.assert_array_equal(RidgeReader().fit(x, y, PERSONS).predict(x), expected)


def test_scores_are_ridge_at_the_chosen_penalty():
    y = X @ np.arange(8) + RNG.standard_normal(60)
    reader = RidgeRegressor().fit(X, y, PERSONS)
    np.testing.assert_allclose(reader.predict(X), Ridge(alpha=reader.alpha_).fit(X, y).predict(X))
