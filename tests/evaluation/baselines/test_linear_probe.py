import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from evaluation.baselines.linear_probe import _PENALTIES, linear_reading


@pytest.fixture
def persons():
    """Features, a noisy linear target and persons; the last 40 rows are asked."""
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, size=(160, 6))
    return x, x[:, 0] - x[:, 1] + rng.normal(0, 4, 160), pd.Series(np.repeat(np.arange(40), 4).astype(str))


@pytest.mark.parametrize("head", ["score", "binary"])
def test_the_penalty_is_the_best_over_folds_of_training_persons(persons, head):
    x, y, persons = persons
    y = (y > np.median(y)).astype(float) if head == "binary" else y
    x_train, y_train, asked = x[:120], y[:120], x[120:]
    found = linear_reading(head, x_train, y_train, persons[:120], asked)
    scaler = StandardScaler().fit(x_train)
    z = scaler.transform(x_train)
    losses = {}
    for c in np.logspace(-3, 1, 9):
        model = LogisticRegression(C=c) if head == "binary" else Ridge(alpha=1 / c)
        losses[c] = np.mean(
            [
                log_loss(y_train[b], model.fit(z[a], y_train[a]).predict_proba(z[b])[:, 1])
                if head == "binary"
                else mean_squared_error(y_train[b], model.fit(z[a], y_train[a]).predict(z[b]))
                for a, b in GroupKFold(5).split(z, groups=persons[:120])
            ]
        )
    best = min(losses, key=losses.get)
    if head == "binary":
        expected = LogisticRegression(C=best).fit(z, y_train).predict_proba(scaler.transform(asked))[:, 1]
    else:
        expected = Ridge(alpha=1 / best).fit(z, y_train).predict(scaler.transform(asked))
    assert found == pytest.approx(expected, rel=0.01)  # of two solvers


def test_folds_of_one_recording_still_choose_a_penalty():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 4)), rng.normal(size=5)
    answers = linear_reading("score", x, y, pd.Series(list("abcde")), 100 * x)
    errors = []
    for penalty in 1 / _PENALTIES:
        left = [np.arange(5) != i for i in range(5)]
        z = StandardScaler().fit_transform(x)
        found = [Ridge(penalty).fit(z[k], y[k]).predict(z[~k])[0] for k in left]
        errors.append(mean_squared_error(y, found))
    best = Ridge((1 / _PENALTIES)[np.argmin(errors)]).fit(StandardScaler().fit_transform(x), y)
    np.testing.assert_allclose(answers, best.predict(StandardScaler().fit(x).transform(100 * x)))


@pytest.mark.parametrize("head", ["score", "binary"])
def test_what_is_constant_in_training_but_for_rounding_is_not_read(persons, head):
    x, y, persons = persons
    y = (y > np.median(y)).astype(float) if head == "binary" else y
    rounding = 1.0 + 2e-16 * np.random.default_rng(1).integers(0, 3, (160, 2))
    rounding[150:] = 0.7  # a recording in which it is not constant
    plain = linear_reading(head, x[:120], y[:120], persons[:120], x[120:])
    wide = np.column_stack([x, rounding, np.zeros(160)])
    found = linear_reading(head, wide[:120], y[:120], persons[:120], wide[120:])
    np.testing.assert_array_equal(found, plain)
    nothing = linear_reading(head, rounding[:120], y[:120], persons[:120], rounding[120:])
    np.testing.assert_allclose(nothing, y[:120].mean(), rtol=1e-3)
