import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from evaluation.metrics.head_ranking import heads_apart, ranked_by_heads


def _table(**columns):
    return pd.DataFrame({"binary_target": [0, 0, 1, 1, None], **columns})


def test_each_head_ranks_as_in_sklearn():
    table = _table(binary_prediction=[0.2, 0.6, 0.4, 0.9, 0.1], score_prediction=[3.0, 9.0, 8.0, 20.0, 1.0])
    known = table.dropna()
    expected = {
        head: roc_auc_score(known["binary_target"].astype(int), known[f"{head}_prediction"])
        for head in ("binary", "score")
    }
    assert ranked_by_heads(table) == pytest.approx(expected)


def test_what_is_made_of_answers_is_no_head_of_its_own():
    table = _table(binary_prediction=[0.2, 0.6, 0.4, 0.9, 0.1], score_prediction=[3.0, 9.0, 8.0, 20.0, 1.0])
    assert ranked_by_heads(table.assign(item_phq9_1_prediction=1.0)) is None


def test_without_both_heads_or_both_classes_there_is_nothing_to_compare():
    assert ranked_by_heads(_table(binary_prediction=[0.2, 0.6, 0.4, 0.9, 0.1])) is None
    one = pd.DataFrame(
        {"binary_target": [1, 1], "binary_prediction": [0.1, 0.2], "score_prediction": [1.0, 2.0]}
    )
    assert ranked_by_heads(one) is None


def test_a_head_that_is_left_behind_is_told_and_a_better_one_is_not():
    told = heads_apart({"binary": 0.68, "score": 0.85})
    assert told is not None
    assert "0.85" in told
    assert "0.68" in told
    assert heads_apart({"binary": 0.80, "score": 0.84}) is None
    assert heads_apart({"binary": 0.85, "score": 0.68}) is None
    assert heads_apart(None) is None
