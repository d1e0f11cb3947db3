import numpy as np
import pytest
from sklearn.svm import SVC, LinearSVC

from biomarkers.estimators.svm import LinearSvm, RbfSvm

RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 3))
RING = ((X**2).sum(1) > 3).astype(int)


def test_the_linear_margin_is_sklearns_and_the_squash_keeps_its_order():
    y = (X[:, 0] + 0.3 * RNG.standard_normal(200) > 0.5).astype(int)
    model = LinearSvm(penalty=1.0).fit(X, y)
    expected = LinearSVC(C=1.0, class_weight="balanced", dual=False).fit(X, y).decision_function(X)
    np.testing.assert_allclose(model.decision_function(X), expected)
    probability = model.predict_proba(X)
    np.testing.assert_allclose(probability[:, 1], 1 / (1 + np.exp(-2 * expected)))
    np.testing.assert_array_equal(model.predict(X), probability.argmax(1))


def test_with_all_rows_as_landmarks_the_kernel_is_that_of_svc():
    z = RbfSvm(landmarks=200).fit(X, RING).model_[0].transform(X)
    exact = SVC(gamma="scale").fit(X, RING)
    distances = ((X[:, None] - X[None]) ** 2).sum(2)
    np.testing.assert_allclose(z @ z.T, np.exp(-exact._gamma * distances), atol=1e-6)


def test_the_kernel_finds_what_a_line_cannot():
    fit, held = slice(0, 150), slice(150, 200)
    curved, straight = (model.fit(X[fit], RING[fit]) for model in (RbfSvm(penalty=10.0), LinearSvm()))
    assert (curved.predict(X[held]) == RING[held]).mean() > 0.9
    assert (straight.predict(X[held]) == RING[held]).mean() < 0.75


def test_labels_keep_their_names_and_one_class_is_refused():
    names = np.where(RING == 1, "yes", "no")
    assert set(RbfSvm().fit(X, names).predict(X)) == {"yes", "no"}
    with pytest.raises(ValueError, match="the training rows have 1"):
        LinearSvm().fit(X, np.zeros(200))
