import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from biomarkers.importance.family_permutation import lost_placements, permuted_predictions, placements

RNG = np.random.default_rng(0)
Y = (np.arange(300) % 3 == 0).astype(int)
X = pd.DataFrame(RNG.standard_normal((300, 3)), columns=list("abc"))
X["a"] += Y
X["b"] = X["a"] + 0.05 * RNG.standard_normal(300)
MODEL = LogisticRegression().fit(X, Y)


def test_families_move_together_as_in_a_hand_loop():
    families = {"twins": ["a", "b"], "noise": ["c"]}
    found = permuted_predictions(MODEL, X, families.values(), repeats=3, seed=5)
    rng = np.random.default_rng(5)
    for g, columns in enumerate(families.values()):
        for p in range(3):
            order = rng.permutation(300)
            moved = X.to_numpy().copy()
            for column in columns:
                place = list(X).index(column)
                moved[:, place] = X.to_numpy()[order, place]
            expected = MODEL.predict_proba(pd.DataFrame(moved, columns=list(X)))[:, 1]
            np.testing.assert_allclose(found[g, p], expected)


def test_placements_average_to_the_auc_of_sklearn_with_ties():
    score = np.round(X["a"].to_numpy())
    found = placements(Y, score)
    assert found[Y == 1].mean() == pytest.approx(roc_auc_score(Y, score))
    assert found[Y == 0].mean() == pytest.approx(roc_auc_score(Y, score))
    below = (score[Y == 0] < score[0]).mean() + (score[Y == 0] == score[0]).mean() / 2
    assert found[0] == pytest.approx(below)
    with pytest.raises(ValueError, match="both classes"):
        placements(np.ones(300), score)


def test_of_single_columns_it_is_the_importance_of_sklearn():
    families = {name: [name] for name in X}
    permuted = permuted_predictions(MODEL, X, families.values(), repeats=30, seed=0)
    lost = lost_placements(Y, MODEL.predict_proba(X)[:, 1], permuted)[:, Y == 1].mean(axis=1)
    expected = permutation_importance(MODEL, X, Y, scoring="roc_auc", n_repeats=30, random_state=1)
    np.testing.assert_allclose(lost, expected.importances_mean, atol=0.015)
    assert expected.importances_mean.max() > 0.05


def test_twins_hide_each_other_until_they_are_permuted_together():
    model = LogisticRegression(C=0.01).fit(X, Y)  # a penalty shares the weight between twins
    permuted = permuted_predictions(model, X, [["a"], ["a", "b"]], repeats=10, seed=0)
    lost = lost_placements(Y, model.predict_proba(X)[:, 1], permuted)[:, Y == 1].mean(axis=1)
    assert lost[1] > 2 * lost[0]
