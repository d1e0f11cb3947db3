import numpy as np
import pandas as pd
import pytest

from engine.submission.persons import SubmissionError, by_person

COLUMNS = ["a_prediction", "b_prediction"]


@pytest.fixture
def expected():
    persons = [f"p{number}" for number in range(3) for _ in range(4)]
    names = [f"{person}_{task}" for person, task in zip(persons, list("abcd") * 3, strict=True)]
    return pd.DataFrame({"recording_id": names, "subject_id": persons})


@pytest.fixture
def predictions(expected):
    rng = np.random.default_rng(0)
    return expected.assign(**{name: rng.random(len(expected)) for name in COLUMNS})


def test_a_person_is_the_mean_of_four_tasks(predictions, expected):
    found = by_person(predictions.sample(frac=1, random_state=1), expected, COLUMNS)
    assert found.table["subject_id"].tolist() == ["p0", "p1", "p2"]
    means = predictions.groupby("subject_id")[COLUMNS].mean()
    assert np.allclose(found.table[COLUMNS], means)
    assert found.notes == ()


def test_a_missing_task_is_told_and_the_others_count(predictions, expected):
    found = by_person(predictions.drop(index=0), expected, COLUMNS)
    assert found.notes == ("1 person(s) have recordings without a prediction: p0 (3 of 4)",)
    assert found.table["a_prediction"][0] == pytest.approx(predictions["a_prediction"][1:4].mean())
    short = by_person(predictions.drop(index=0), expected.drop(index=0), COLUMNS)
    assert short.notes == ("1 person(s) have fewer recordings than others: p0 (3 of 4)",)


def test_a_person_without_any_prediction_is_an_error_by_name(predictions, expected):
    with pytest.raises(SubmissionError, match=r"1 of 3 person\(s\) have no prediction: p1; predict all"):
        by_person(predictions[predictions["subject_id"] != "p1"], expected, COLUMNS)
    empty = predictions.assign(b_prediction=predictions["b_prediction"].where(predictions.index > 3))
    with pytest.raises(SubmissionError, match=r"have no prediction: p0"):
        by_person(empty, expected, COLUMNS)


def test_recordings_of_others_do_not_count_and_none_counts_twice(predictions, expected):
    others = predictions.assign(recording_id="val_" + predictions["recording_id"], a_prediction=99.0)
    found = by_person(pd.concat([predictions, others]), expected, COLUMNS)
    assert found.table["a_prediction"].max() < 1
    with pytest.raises(SubmissionError, match="predicted twice: p0_a"):
        by_person(pd.concat([predictions, predictions]), expected, COLUMNS)


@pytest.mark.parametrize(
    ("column", "head"),
    [
        ("DASS-21-D_probability", "model/heads=items data/items=dass_21"),
        ("item_dass21_01_prediction", "model/heads=items data/items=dass_21"),
        ("binary_prediction", "model/heads=score_binary"),
    ],
)
def test_a_missing_column_names_the_head_that_gives_it(predictions, expected, column, head):
    with pytest.raises(SubmissionError, match=f"no column {column}; a network trained with {head} gives it"):
        by_person(predictions, expected, [column])
