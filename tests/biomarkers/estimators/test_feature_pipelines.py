import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVR

from biomarkers.estimators.down_sampling import DownSampled
from biomarkers.estimators.feature_pipelines import component_pipeline, plain_pipeline
from biomarkers.estimators.linear import LogisticReader
from biomarkers.estimators.svm import LinearSvm, RbfSvm
from tests.isolation import check_isolated

PERSONS = np.repeat(np.arange(60), 2)
Y = (PERSONS % 3 == 0).astype(int)
TRAIN, TEST = PERSONS < 42, PERSONS >= 42
NAMES = list("abcdef")


def table(gaps=True):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.standard_normal((120, 6)), columns=NAMES)
    rows["a"] += 2.0 * Y
    rows["b"] = rows["a"] + 0.1 * rng.standard_normal(120)
    if gaps:
        rows.loc[rng.random(120) < 0.15, "a"] = np.nan
    return rows


MODELS = {
    "forest": plain_pipeline(estimator=RandomForestClassifier(30, random_state=0)),
    "extra trees": plain_pipeline(estimator=ExtraTreesClassifier(30, random_state=0)),
    "linear svm": component_pipeline(estimator=LinearSvm()),
    "rbf svm": component_pipeline(estimator=RbfSvm(landmarks=30)),
    "told persons": component_pipeline(estimator=LogisticReader(folds=2)),
    "source": DownSampled(estimator=component_pipeline(estimator=RandomForestClassifier(30, random_state=0))),
}


@pytest.mark.parametrize("name", MODELS)
def test_unseen_persons_are_told_apart_with_values_missing_and_a_fit_repeats_itself(name):
    rows = table()
    once, again = (
        clone(MODELS[name]).fit(rows[TRAIN], Y[TRAIN], groups=PERSONS[TRAIN]).predict_proba(rows[TEST])
        for _ in range(2)
    )
    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(once.sum(1), 1, atol=1e-9)
    assert roc_auc_score(Y[TEST], once[:, 1]) > 0.8


def test_the_steps_by_hand():
    x = table()
    fitted = component_pipeline(estimator=LogisticRegression()).fit(x[TRAIN], Y[TRAIN], groups=PERSONS[TRAIN])
    filled = x.fillna(x[TRAIN].median()).assign(gap=x["a"].isna().astype(float))
    labels = Y[TRAIN] == 1
    passed = [
        n for n in filled if mannwhitneyu(filled[TRAIN][n][labels], filled[TRAIN][n][~labels]).pvalue < 0.01
    ]
    assert passed == ["a", "b"]
    z = (filled[passed] - filled[TRAIN][passed].mean()) / filled[TRAIN][passed].std(ddof=0)
    _, sizes, axes = np.linalg.svd(z[TRAIN].to_numpy(), full_matrices=False)
    share = sizes**2 / (sizes**2).sum()
    kept = int(np.searchsorted(np.cumsum(share), 0.99) + 1)
    expected = z.to_numpy() @ axes[:kept].T
    found = fitted[:-1].transform(x)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-9)


def test_a_feature_that_no_training_row_has_changes_nothing():
    rows = table()
    empty = rows.assign(f=np.where(TEST, rows["f"], np.nan))
    fitted = component_pipeline(estimator=LinearSvm()).fit(empty[TRAIN], Y[TRAIN], groups=PERSONS[TRAIN])
    other = empty.assign(f=100.0)
    np.testing.assert_array_equal(fitted.predict_proba(empty[TEST]), fitted.predict_proba(other[TEST]))


def test_down_sampling_keeps_the_rare_class_and_as_many_of_the_other():
    model = DownSampled(estimator=plain_pipeline(estimator=RandomForestClassifier(5, random_state=0)))
    model.fit(table(), Y, PERSONS)
    assert np.bincount(Y[model.rows_]).tolist() == [40, 40]
    assert set(np.flatnonzero(Y == 1)) <= set(model.rows_)
    assert model.predict(table()).shape == (120,)


@pytest.mark.parametrize(
    "model",
    [
        plain_pipeline(estimator=RandomForestRegressor(30, random_state=0)),
        component_pipeline(estimator=SVR(C=10), p_value=None),
    ],
    ids=["forest", "svr"],
)
def test_scores(model):
    rows = table()
    score = 5 * rows["b"].to_numpy()
    found = clone(model).fit(rows[TRAIN], score[TRAIN], groups=PERSONS[TRAIN]).predict(rows[TEST])
    assert np.corrcoef(found, score[TEST])[0, 1] > 0.8


@pytest.mark.parametrize("name", ["forest", "rbf svm", "source"])
def test_nothing_is_learned_from_the_test_rows(name):
    def procedure(x, y, train, test):
        model = clone(MODELS[name])
        model.set_params(**{n: 5 for n in model.get_params() if n.endswith("n_estimators")})
        model.fit(pd.DataFrame(x[train], columns=NAMES), y[train], groups=PERSONS[train])
        return lambda asked: model.predict_proba(pd.DataFrame(asked, columns=NAMES))[:, 1]

    rows = table().to_numpy()
    check_isolated(procedure, rows, Y, train=np.flatnonzero(TRAIN), test=np.flatnonzero(TEST))
