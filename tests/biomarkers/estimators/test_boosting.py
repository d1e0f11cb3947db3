import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from xgboost import XGBClassifier

from biomarkers.estimators.boosting import BoostingClassifier, BoostingRegressor, features
from tests.isolation import check_isolated

PERSONS = np.repeat(np.arange(40), 2)
Y = (PERSONS % 4 == 0).astype(int)
TRAIN, TEST = PERSONS < 28, PERSONS >= 28


def table(seed=0, effect=2.0):
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(rng.standard_normal((80, 4)), columns=list("abcd"))
    rows["a"] += effect * Y
    rows.loc[rng.random(80) < 0.1, "b"] = np.nan
    return rows.assign(recording_id=[f"r{i}" for i in range(80)], subject_id=PERSONS, session_id="1")


def test_keys_are_no_features():
    assert list(features(table())) == list("abcd")
    with pytest.raises(ValueError, match="feature 'sex' is no number"):
        features(table().assign(sex="f"))
    with pytest.raises(ValueError, match="keys only"):
        features(table()[["recording_id"]])


def test_unseen_persons_are_told_apart_with_values_missing_and_a_fit_repeats_itself():
    rows = table()
    once, again = (
        clone(BoostingClassifier()).fit(rows[TRAIN], Y[TRAIN], PERSONS[TRAIN]).predict_proba(rows[TEST])
        for _ in range(2)
    )
    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(once.sum(1), 1, atol=1e-6)
    assert roc_auc_score(Y[TEST], once[:, 1]) > 0.8


def test_it_stops_early_on_persons_that_the_search_has_not_fitted():
    model = BoostingClassifier(patience=10)
    fit, stop = BoostingClassifier()._stopping_part(Y[TRAIN], PERSONS[TRAIN])
    assert not set(PERSONS[TRAIN][fit]) & set(PERSONS[TRAIN][stop])
    assert 0 < Y[TRAIN][stop].mean() < 1
    assert model.fit(table()[TRAIN], Y[TRAIN], PERSONS[TRAIN]).trees_ < 300
    assert model.fit(table(effect=0)[TRAIN], Y[TRAIN], PERSONS[TRAIN]).trees_ < 100


def test_all_training_rows_are_fitted_and_classes_weigh_the_same():
    rows = table()
    model = BoostingClassifier().fit(rows, Y, PERSONS)
    weights = np.where(Y == 1, 80 / (2 * Y.sum()), 80 / (2 * (80 - Y.sum())))
    plain = XGBClassifier(n_estimators=model.trees_, max_depth=3, learning_rate=0.05, random_state=0)
    plain.fit(rows[list("abcd")], Y, sample_weight=weights)
    np.testing.assert_allclose(model.predict_proba(rows), plain.predict_proba(rows[list("abcd")]), atol=1e-6)


def test_features_are_found_by_name():
    rows = table()
    model = BoostingClassifier().fit(rows, Y, PERSONS)
    mixed = rows[["d", "subject_id", "a", "c", "b"]]
    np.testing.assert_array_equal(model.predict_proba(mixed), model.predict_proba(rows))
    with pytest.raises(ValueError, match="lacks feature 'b'"):
        model.predict(rows.drop(columns="b"))


def test_labels_keep_their_names():
    names = np.where(Y == 1, "yes", "no")
    assert (BoostingClassifier().fit(table(), names, PERSONS).predict(table()) == names).mean() > 0.8


def test_scores():
    rows = table()
    score = 5 * rows["a"].to_numpy() + np.random.default_rng(1).standard_normal(80)
    found = BoostingRegressor().fit(rows[TRAIN], score[TRAIN], PERSONS[TRAIN]).predict(rows[TEST])
    assert np.corrcoef(found, score[TEST])[0, 1] > 0.9


def test_too_few_persons_for_a_stopping_part_are_an_error_with_a_way_out():
    few = PERSONS < 4
    with pytest.raises(ValueError, match="patience=None"):
        BoostingClassifier().fit(table()[few], Y[few], PERSONS[few])
    assert BoostingClassifier(patience=None, trees=7).fit(table()[few], Y[few], PERSONS[few]).trees_ == 7
    with pytest.raises(ValueError, match="needs two"):
        BoostingClassifier().fit(table(), np.ones(80), PERSONS)


@pytest.mark.slow
def test_nothing_is_learned_from_the_test_rows():
    def procedure(x, y, train, test):
        model = BoostingClassifier(trees=30, patience=5)
        model.fit(pd.DataFrame(x[train], columns=list("abcd")), y[train], PERSONS[train])
        return lambda asked: model.predict_proba(pd.DataFrame(asked, columns=list("abcd")))[:, 1]

    x = table()[list("abcd")].to_numpy()
    check_isolated(procedure, x, Y, train=np.flatnonzero(TRAIN), test=np.flatnonzero(TEST))
