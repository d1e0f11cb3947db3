import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evaluation.tables.aggregate import TRIM, to_recordings, to_subjects
from evaluation.tables.predictions import PredictionError


@pytest.fixture
def clips():
    values = [1.0, 2.0, 3.0, 4.0, 100.0]
    return pd.DataFrame(
        {
            "recording_id": ["007"] * 5 + ["a"],
            "subject_id": ["1"] * 5 + ["2"],
            "session_id": "v1",
            "clip": [0, 1, 2, 3, 4, 0],
            "score": [*values, 7.0],
            "binary": [0.1] * 5 + [0.9],
        }
    )


@pytest.fixture
def targets():
    return pd.DataFrame(
        {"recording_id": ["a", "007", "unused"], "score": [8.0, 5.0, 1.0], "binary": [1.0, np.nan, 0.0]}
    )


@pytest.mark.parametrize(("aggregate", "expected"), [("mean", 22.0), ("median", 3.0), ("trimmed", 3.0)])
def test_clips_become_recordings(clips, targets, aggregate, expected):
    out = to_recordings(clips.sample(frac=1, random_state=0), targets, split="test", aggregate=aggregate)
    assert out["recording_id"].tolist() == ["007", "a"]
    assert out["score_prediction"].tolist() == [expected, 7.0]
    assert out["score_target"].tolist() == [5.0, 8.0]
    assert np.isnan(out["binary_target"][0])
    assert set(out["split"]) == {"test"}


def test_trimmed_mean_is_scipys(clips, targets):
    out = to_recordings(clips, targets, split="test", aggregate="trimmed")
    assert out["score_prediction"][0] == stats.trim_mean([1, 2, 3, 4, 100], TRIM)


def test_unknown_rule_and_stranger_are_named(clips, targets):
    with pytest.raises(ValueError, match="aggregate='sum'"):
        to_recordings(clips, targets, split="test", aggregate="sum")
    with pytest.raises(PredictionError, match=r"\['007'\] are not in the manifest"):
        to_recordings(clips, targets[targets["recording_id"] != "007"], split="test")


def test_persons_compare_the_same_recordings_on_both_sides():
    table = pd.DataFrame(
        {
            "recording_id": list("abcde"),
            "subject_id": ["1", "1", "1", "2", "2"],
            "session_id": "v",
            "split": "test",
            "score_target": [10.0, 20.0, np.nan, 5.0, 7.0],
            "score_prediction": [12.0, 22.0, 999.0, 5.0, 5.0],
            "binary_target": [0.0, 1.0, np.nan, 0.0, 0.0],
            "binary_prediction": [0.2, 0.6, 0.9, 0.1, 0.1],
        }
    )
    out = to_subjects(table)
    assert out["score_target"].tolist() == [15, 6]
    assert out["score_prediction"].tolist() == [17, 5]
    assert out["binary_target"].tolist() == [1, 0]  # half of the labeled recordings suffice
    assert out["binary_prediction"].tolist() == pytest.approx([0.4, 0.1])
    assert table["score_prediction"][2] == 999  # the input is left alone


def test_a_person_whose_class_alone_is_known_is_ranked_by_the_score():
    table = pd.DataFrame(
        {
            "recording_id": ["r1", "r2", "r3"],
            "subject_id": ["a", "a", "b"],
            "session_id": ["V1", "V2", "V1"],
            "score_target": [10.0, np.nan, np.nan],
            "score_prediction": [12.0, 30.0, 20.0],
            "binary_target": [0.0, 0.0, 1.0],
        }
    )
    assert to_subjects(table)["score_prediction"].tolist() == [12.0, 20.0]
    without = to_subjects(table.assign(binary_prediction=[0.1, 0.2, 0.9]))
    assert without["score_prediction"].isna().tolist() == [False, True]  # the class has a head of its own


def test_items_and_what_follows_from_them_are_combined_like_every_prediction(clips, targets):
    clips = clips.assign(**{"item_phq9_1": clips["score"] / 50, "PHQ-9_total": clips["score"]})
    clips["PHQ-9_severity_sd"] = 0.5
    targets = targets.assign(item_phq9_1=[3.0, np.nan, 1.0], item_phq9_2=[0.0, 0.0, 0.0])
    table = to_recordings(clips, targets, split="test", aggregate="median").set_index("recording_id")
    assert table["item_phq9_1_prediction"].to_dict() == {"007": 0.06, "a": 0.14}
    assert table["item_phq9_1_target"].to_dict() == pytest.approx({"007": np.nan, "a": 3.0}, nan_ok=True)
    assert table["PHQ-9_total"].to_dict() == {"007": 3.0, "a": 7.0}
    assert table["PHQ-9_severity_sd"].tolist() == [0.5, 0.5]
    assert "item_phq9_2_target" not in table  # nobody predicts it
    assert not [name for name in to_subjects(table.reset_index()) if name.startswith("item_")]
