import numpy as np
import pandas as pd
import pytest
import shap
from scipy.special import logit
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from biomarkers.estimators.boosting import BoostingClassifier
from biomarkers.estimators.feature_pipelines import plain_pipeline
from biomarkers.importance.shap_values import shap_values

RNG = np.random.default_rng(0)
Y = (np.arange(200) % 3 == 0).astype(int)
X = pd.DataFrame(RNG.standard_normal((200, 4)), columns=list("abcd"))
X["a"] += 2 * Y
X.loc[RNG.random(200) < 0.1, "b"] = np.nan
BOOSTED = BoostingClassifier(trees=30, patience=None).fit(X, Y, np.arange(200))
FOREST = plain_pipeline(estimator=ExtraTreesClassifier(20, max_depth=4, random_state=0))
FOREST.fit(X.fillna(0), Y, groups=np.arange(200))


def test_contributions_of_boosting_add_up_to_the_log_odds():
    values, base = shap_values(BOOSTED, X)
    assert values.shape == (200, 4)
    np.testing.assert_allclose(values.sum(1) + base, logit(BOOSTED.predict_proba(X)[:, 1]), atol=1e-4)
    own = shap.TreeExplainer(BOOSTED.model_)
    np.testing.assert_allclose(values, own.shap_values(X), atol=1e-6)
    assert np.abs(values).mean(0).argmax() == 0


def test_contributions_of_a_forest_add_up_to_the_probability():
    x = X.fillna(0)
    values, base = shap_values(FOREST, x)
    np.testing.assert_allclose(values.sum(1) + base, FOREST.predict_proba(x)[:, 1], atol=1e-9)
    assert np.abs(values).mean(0).argmax() == 0


def test_a_model_without_trees_is_refused():
    with pytest.raises(TypeError, match="LogisticRegression is neither"):
        shap_values(LogisticRegression().fit(X.fillna(0), Y), X)
