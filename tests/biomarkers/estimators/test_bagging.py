import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from biomarkers.estimators.bagging import BaggingClassifier
from biomarkers.estimators.boosting import BoostingClassifier
from biomarkers.estimators.feature_pipelines import component_pipeline

PERSONS = np.repeat(np.arange(50), 2)
Y = (PERSONS % 4 == 0).astype(int)
RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.standard_normal((100, 4)), columns=list("abcd"))
X["a"] += Y


def test_a_person_is_in_a_bag_with_all_recordings_or_with_none():
    model = BaggingClassifier(estimator=LogisticRegression(), bags=5).fit(X, Y, PERSONS)
    for rows in model.rows_:
        times = np.bincount(rows, minlength=100).reshape(50, 2)
        assert (times[:, 0] == times[:, 1]).all()
        assert len(rows) == 100
        assert (times == 0).any()


def test_predictions_are_the_mean_of_fits_by_hand():
    model = BaggingClassifier(estimator=LogisticRegression(), bags=4, n_jobs=2).fit(X, Y, PERSONS)
    fits = [LogisticRegression().fit(X.iloc[rows], Y[rows]) for rows in model.rows_]
    expected = np.mean([fit.predict_proba(X) for fit in fits], axis=0)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), expected.argmax(1))


def test_members_differ_in_their_seeds_and_a_seed_repeats_itself():
    first, again = (
        BaggingClassifier(estimator=DecisionTreeClassifier(max_depth=2), bags=4, seed=3).fit(X, Y, PERSONS)
        for _ in range(2)
    )
    assert len({member.random_state for member in first.members_}) == 4
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))


def test_members_that_ask_are_told_the_persons():
    fit = PERSONS < 38
    for member in (
        BoostingClassifier(trees=20, patience=3),
        component_pipeline(estimator=LogisticRegression()),
    ):
        model = BaggingClassifier(estimator=member, bags=3).fit(X[fit], Y[fit], PERSONS[fit])
        assert roc_auc_score(Y[~fit], model.predict_proba(X[~fit])[:, 1]) > 0.6


def test_a_class_of_one_person_is_drawn_until_it_is_there():
    rare = (PERSONS == 7).astype(int)
    model = BaggingClassifier(estimator=LogisticRegression(), bags=10).fit(X, rare, PERSONS)
    assert all(rare[rows].any() for rows in model.rows_)


def test_classes_that_hardly_meet_in_a_bag_are_refused():
    with pytest.raises(ValueError, match="12 persons each lack a class"):  # all twelve in a bag: 12!/12^12
        BaggingClassifier(estimator=LogisticRegression()).fit(X[:12], np.arange(12), np.arange(12))
