import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from evaluation.baselines.earlier_scores import last_score, mean_score


def visits(scores, known):
    """Manifest rows of persons with the scores of their visits, of which the first `known` are known."""
    rows = [
        {
            "recording_id": f"p{person}_{visit}", "subject_id": f"p{person}", "session_id": f"v{visit}",
            "person": person, "visit": 100 * person + visit, "place": float(visit), "score": score,
            "binary": float(score >= 14), "known": visit < known,
            "visit_score": score if visit < known else np.nan,
        }
        for person, own in enumerate(scores) for visit, score in enumerate(own)
    ]  # fmt: skip
    return pd.DataFrame(rows)


TABLE = visits([[10, 20, 12], [30, 24, 28], [5, np.nan, 7], [18, 9, 16], [22, 6, 11], [3, 2, 40]], known=2)
TRAIN = TABLE[TABLE["person"] >= 3]
ASKED = TABLE[TABLE["recording_id"].isin(["p0_2", "p1_1", "p2_2", "p1_0"])].reset_index(drop=True)


def test_last_and_mean_of_the_earlier_known_scores_are_answered():
    heads = ("score", "binary")
    last = last_score(TABLE, TRAIN, ASKED, heads=heads).predictions.set_index("recording_id")
    mean = mean_score(TABLE, TRAIN, ASKED, heads=heads).predictions.set_index("recording_id")
    assert last["score_prediction"]["p0_2"] == 20
    assert mean["score_prediction"]["p0_2"] == 15
    assert last["score_prediction"]["p1_1"] == 30  # neither its own score nor a later one
    assert last["score_prediction"]["p2_2"] == mean["score_prediction"]["p2_2"] == 5  # the second is missing
    assert last["score_prediction"]["p1_0"] == TRAIN["score"].mean()  # a first visit
    assert last["binary_prediction"]["p1_0"] == TRAIN["binary"].mean()


def test_a_class_is_read_from_the_earlier_scores_of_training_persons():
    table = visits(
        np.random.default_rng(0).normal(14, 8, (60, 1)) + np.random.default_rng(1).normal(0, 4, (60, 4)), 4
    )
    train, asked = table[table["person"] < 40], table[table["person"] >= 40]
    found = last_score(table, train, asked, heads=("binary",)).predictions
    earlier = table.groupby("person")["score"].shift()
    taught = train.index[earlier[train.index].notna()]
    model = LogisticRegression(C=np.inf).fit(earlier[taught].to_numpy()[:, None], train["binary"][taught])
    known = earlier[asked.index].notna().to_numpy()
    expected = model.predict_proba(earlier[asked.index].to_numpy()[known, None])[:, 1]
    assert found["binary_prediction"].to_numpy()[known] == pytest.approx(expected, abs=1e-3)


def test_a_reading_that_falls_says_nothing_and_without_an_earlier_score_there_is_no_line():
    turned = visits([[1, 30], [2, 28], [29, 3], [31, 2], [20, 9], [4, 25]], known=1)
    train, asked = turned[turned["person"] < 4], turned[turned["person"] >= 4]
    found = last_score(turned, train, asked, heads=("binary",)).predictions
    assert set(found["binary_prediction"]) == {train["binary"].mean()}
    nothing = TABLE.assign(known=False, visit_score=np.nan)
    line = last_score(nothing, TRAIN, ASKED, heads=("score",))
    assert line.predictions is None
    assert "no score of an earlier visit" in line.reason


def test_own_and_later_scores_change_nothing():
    asked = TABLE[TABLE["place"] == 1]
    other = TABLE.assign(visit_score=TABLE["visit_score"].where(TABLE["place"] < 1, 63.0), score=1.0)
    for line in (last_score, mean_score):
        one, two = (line(own, TRAIN, asked, heads=("score",)).predictions for own in (TABLE, other))
        assert one["score_prediction"].tolist() == two["score_prediction"].tolist()


def test_where_nobody_trains_a_mean_from_elsewhere_answers_for_who_has_no_earlier_score():
    nobody = TRAIN[:0]
    found = last_score(TABLE, nobody, ASKED, heads=("score",), mean=17.0).predictions
    assert found.set_index("recording_id")["score_prediction"].to_dict() == {
        "p0_2": 20.0, "p1_1": 30.0, "p2_2": 5.0, "p1_0": 17.0,
    }  # fmt: skip
    line = mean_score(TABLE, nobody, ASKED, heads=("score",), mean=np.nan)
    assert line.predictions is None
    assert "1 of 4 recordings have no earlier score, and no mean is known" in line.reason
    asked = ASKED[ASKED["recording_id"] != "p1_0"]
    assert mean_score(TABLE, nobody, asked, heads=("score",), mean=np.nan).reason is None
