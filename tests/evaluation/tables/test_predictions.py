import numpy as np
import pandas as pd
import pytest

from evaluation.tables.predictions import PredictionError, check_clips, read_predictions, write_predictions


@pytest.fixture
def clips():
    return pd.DataFrame(
        {
            "recording_id": ["b", "a", "a"],
            "subject_id": ["2", "1", "1"],
            "session_id": ["v1", "v1", "v1"],
            "clip": [0, 1, 0],
            "score": [20.0, 11.0, 9.0],
        }
    )


def test_repeated_clips_count_once(clips):
    out = check_clips(pd.concat([clips, clips.iloc[:2]]))
    assert out[["recording_id", "clip"]].to_numpy().tolist() == [["a", 0], ["a", 1], ["b", 0]]


def test_a_clip_predicted_twice_differently_is_an_error(clips):
    other = clips.iloc[[1]].assign(score=12.0)
    with pytest.raises(PredictionError, match=r"\('a', 1\).*predicted twice"):
        check_clips(pd.concat([clips, other]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="session_id"), "lacks.*session_id"),
        (lambda t: t.drop(columns="score"), "lacks a prediction"),
        (lambda t: t.iloc[:0], "is empty"),
        (lambda t: t.assign(score=[1.0, np.nan, 2.0]), r"score predictions of \['a'\] are not finite"),
        (lambda t: t.assign(subject_id=["2", "1", "3"]), r"\['a'\] appear under two values of subject_id"),
    ],
)
def test_bad_tables_are_named(clips, change, message):
    with pytest.raises(PredictionError, match=message):
        check_clips(change(clips))


def test_round_trip_keeps_ids_and_digits(tmp_path, recordings):
    table = recordings.assign(subject_id=[f"{i:03d}" for i in range(len(recordings))])
    path = tmp_path / "run" / "predictions.csv"
    write_predictions(path, table.assign(low=0.0, high=63.0))
    back = read_predictions(path)
    first = ["recording_id", "subject_id", "session_id", "split", "target", "prediction", "low", "high"]
    assert list(back.columns)[:8] == first
    assert back["subject_id"].tolist() == table["subject_id"].tolist()
    assert back["prediction"].to_numpy() == pytest.approx(table["score_prediction"].to_numpy(), abs=0)
    assert (back["target"] == table["score_target"]).all()


def test_ids_that_look_like_missing_values_are_text(tmp_path, recordings):
    odd = ["NA", "None", "nan", "null", "N/A", "-inf", "1e3"]
    table = recordings.iloc[: len(odd)].assign(recording_id=odd, subject_id=odd[::-1], session_id="NaN")
    table.loc[table.index[0], "score_target"] = np.nan
    write_predictions(tmp_path / "predictions.csv", table)
    back = read_predictions(tmp_path / "predictions.csv").set_index("recording_id")
    expected = table.set_index("recording_id")
    assert back.index.tolist() == sorted(odd)
    assert back["subject_id"].to_dict() == expected["subject_id"].to_dict()
    assert set(back["session_id"]) == {"NaN"}
    pd.testing.assert_series_equal(
        back["score_target"], expected["score_target"].sort_index(), check_exact=True, check_names=False
    )


def test_primary_head_falls_back_to_the_probability(tmp_path, recordings):
    path = tmp_path / "predictions.csv"
    write_predictions(path, recordings.drop(columns=["score_target", "score_prediction"]))
    back = read_predictions(path)
    assert (back["prediction"] == back["binary_prediction"]).all()
    assert back["low"].isna().all()


def test_foreign_file_is_refused(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("recording_id,score\na,1\n")
    with pytest.raises(PredictionError, match=r"other\.csv lacks"):
        read_predictions(path)
