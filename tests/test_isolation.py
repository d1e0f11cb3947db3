import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.isolation import IsolationError, check_isolated

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((60, 30)), RNG.integers(0, 2, 60)
TRAIN, TEST = np.arange(40), np.arange(40, 60)


def inside(*steps):
    """Everything in one pipeline, fitted on the training rows."""

    def procedure(x, y, train, test):
        model = make_pipeline(*steps, LogisticRegression()).fit(x[train], y[train])
        return lambda features: model.predict_proba(features)[:, 1]

    return procedure


def before(step):
    """The step sees all rows before the split, the estimator the training rows only."""

    def procedure(x, y, train, test):
        step.fit(x, y)
        model = LogisticRegression().fit(step.transform(x[train]), y[train])
        return lambda features: model.predict_proba(step.transform(features))[:, 1]

    return procedure


STEPS = [StandardScaler(), PCA(5, random_state=0), SelectKBest(f_classif, k=5)]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
def test_a_step_inside_the_fold_passes_and_before_the_split_is_caught(step):
    check_isolated(inside(step), X, Y, train=TRAIN, test=TEST)
    with pytest.raises(IsolationError, match="features of the 20 test rows"):
        check_isolated(before(step), X, Y, train=TRAIN, test=TEST)


def test_a_selection_by_the_test_labels_alone_is_caught():
    def procedure(x, y, train, test):
        chosen = int(np.argmax([abs(np.corrcoef(X[:, c], y)[0, 1]) for c in range(x.shape[1])]))
        model = LogisticRegression().fit(x[train][:, [chosen]], y[train])
        return lambda features: model.predict_proba(features[:, [chosen]])[:, 1]

    with pytest.raises(IsolationError, match="target of the 20 test rows"):
        check_isolated(procedure, X, Y, train=TRAIN, test=TEST)


def test_without_a_fixed_seed_nothing_is_said():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="fixed seed"):
        check_isolated(lambda *_: lambda x: rng.random(len(x)), X, Y, train=TRAIN, test=TEST)
