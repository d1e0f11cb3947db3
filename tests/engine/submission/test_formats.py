import numpy as np
import pandas as pd
import pytest

from engine.submission.formats import FORMATS, Facts, adodas_a1, adodas_a2, mpdd_avg, ternary_cuts
from engine.submission.persons import SubmissionError

NOTHING = Facts(pd.DataFrame())
PUPILS = ["adodas:s1:c2:P1", "adodas:s1:c2:P2"]
LABELS = pd.DataFrame({"score": [0, 4, 5, 9, 10, 27], "category_tri": ["0", "0", "1", "1", "2", "2"]})


def test_a1_has_the_stated_columns():
    means = pd.DataFrame(
        {"subject_id": PUPILS, **{f"DASS-21-{one}_probability": [0.25, 0.5] for one in "DAS"}}
    )
    found = adodas_a1(means, NOTHING)
    assert list(found) == ["anon_school", "anon_class", "anon_pid", "p_D", "p_A", "p_S"]
    assert found.iloc[0].tolist() == ["s1", "c2", "P1", 0.25, 0.25, 0.25]


def test_a2_holds_whole_answers_from_0_to_3():
    values = np.linspace(0, 3, 42).reshape(2, 21)
    names = FORMATS["adodas_a2"].columns
    found = adodas_a2(pd.DataFrame(values, columns=list(names)).assign(subject_id=PUPILS), NOTHING)
    answers = [f"d{number:02d}" for number in range(1, 22)]
    assert list(found) == ["anon_school", "anon_class", "anon_pid", *answers]
    assert (found[answers].to_numpy() == np.floor(values + 0.5)).all()
    assert found[answers].dtypes.map(lambda kind: np.issubdtype(kind, np.integer)).all()
    assert found[answers].to_numpy().min() == 0
    assert found[answers].to_numpy().max() == 3


def test_people_of_another_corpus_are_no_pupils():
    means = pd.DataFrame({"subject_id": ["mpdd:1"], **{f"DASS-21-{one}_probability": [0.5] for one in "DAS"}})
    with pytest.raises(SubmissionError, match="'mpdd:1' is no person of AdoDAS"):
        adodas_a1(means, NOTHING)


def test_mpdd_avg_decides_by_the_threshold_and_the_cuts_of_the_labels():
    means = pd.DataFrame(
        {
            "subject_id": ["mpdd_avg:young_7", "mpdd_avg:elder_501", "mpdd_avg:elder_A_502"],
            "binary_prediction": [0.39, 0.4, 0.9],
            "score_prediction": [3.0, 7.123, 31.0],
        }
    )
    found = mpdd_avg(means, Facts(LABELS, threshold=0.4))
    assert list(found) == ["id", "binary", "ternary", "PHQ-9"]
    assert found["id"].tolist() == ["7", "501", "A_502"]
    assert found["binary"].tolist() == [0, 1, 1]
    assert found["ternary"].tolist() == [0, 1, 2]
    assert found["PHQ-9"].tolist() == [3.0, 7.12, 27.0]
    assert mpdd_avg(means, Facts(LABELS, 0.4, cuts=(1, 2)))["ternary"].tolist() == [2, 2, 2]
    with pytest.raises(SubmissionError, match="threshold of the binary label is not known"):
        mpdd_avg(means, Facts(LABELS))


def test_cuts_follow_from_labels_or_must_be_said():
    assert ternary_cuts(LABELS) == (4.5, 9.5)
    overlapping = LABELS.assign(score=[0, 6, 5, 9, 10, 27])
    with pytest.raises(SubmissionError, match="class 0 reaches 6, class 1 begins at 5; say cuts="):
        ternary_cuts(overlapping)
    with pytest.raises(SubmissionError, match="a ternary class has no labeled person"):
        ternary_cuts(LABELS[:4])
    with pytest.raises(SubmissionError, match="no ternary labels beside totals"):
        ternary_cuts(LABELS[["score"]])


def test_every_format_says_that_it_was_not_checked():
    assert all("not checked against the organisers' checker" in one.note for one in FORMATS.values())
