import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from evaluation.uncertainty.threshold import best_cut, choose_threshold


def test_no_other_cut_is_better():
    rng = np.random.default_rng(0)
    for _ in range(20):
        y = rng.permutation(np.repeat([0.0, 1.0], [12, 18]))
        p = np.round(rng.normal(y, 1.2), 1)
        cut, uar = best_cut(y, p)
        every = [balanced_accuracy_score(y, p >= c) for c in [*np.unique(p), np.inf]]
        assert uar == pytest.approx(max(every))
        assert balanced_accuracy_score(y, p >= cut) == pytest.approx(uar)


def test_cut_lies_midway():
    assert best_cut([0, 0, 1, 1], [1, 2, 6, 7]) == (4.0, 1.0)


def test_useless_predictions_still_give_the_promised_recall():
    y, p = np.array([0.0, 1.0]), np.array([2.0, 1.0])
    cut, uar = best_cut(y, p)
    assert balanced_accuracy_score(y, p >= cut) == uar == 0.5


def test_choice_says_where_it_comes_from(validation):
    chosen = choose_threshold(validation)
    assert chosen.column == "binary_prediction"
    assert chosen.split == "val"
    assert chosen.recordings == len(validation)
    assert chosen.as_dict()["criterion"]
    assert 0 < chosen.value < 1


def test_score_ranks_where_there_is_no_probability(validation):
    chosen = choose_threshold(validation.drop(columns="binary_prediction"))
    assert chosen.column == "score_prediction"
    assert 5 < chosen.value < 40


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.assign(binary_target=1.0), "one class only"),
        (lambda t: t.drop(columns="binary_target"), "no binary target"),
        (lambda t: t.assign(binary_target=np.nan), "no binary target"),
    ],
)
def test_no_choice_has_a_reason(validation, change, reason):
    chosen = choose_threshold(change(validation))
    assert chosen.value is None
    assert reason in chosen.reason


def test_one_class_is_refused_by_the_pure_function():
    with pytest.raises(ValueError, match="both classes"):
        best_cut([1, 1], [0.1, 0.2])
