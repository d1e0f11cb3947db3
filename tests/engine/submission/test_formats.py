import numpy as np
import pandas as pd
import pytest

from engine.submission.formats import FORMATS, Facts, adodas_a1, adodas_a2, mpdd_avg, ternary_cuts
from engine.submission.persons import SubmissionError

NOTHING = Facts(pd.DataFrame())
PUPILS = ["adodas:s1:c2:P1", "adodas:s1:c2:P2"]
LABELS = pd.DataFrame({"score": [0, 4, 5, 9, 10, 27], "category_tri": ["0", "0", "1", "1", "2", "2"]})
LABELS["split"] = ["train", "val", "train", "dev", "train", "validation"]


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
    with pytest.raises(SubmissionError, match="a ternary class has no labeled person in training"):
        ternary_cuts(LABELS[:4])
    with pytest.raises(SubmissionError, match="no ternary labels beside totals"):
        ternary_cuts(LABELS[["score"]])


def test_cuts_never_follow_from_labels_of_the_test_part():
    tested = pd.DataFrame({"score": [20, 0], "category_tri": ["0", "2"], "split": ["test", ""]})
    assert ternary_cuts(pd.concat([LABELS, tested])) == (4.5, 9.5)
    with pytest.raises(SubmissionError, match="no labeled person in training or validation"):
        ternary_cuts(LABELS.assign(split="test"))
    with pytest.raises(
        SubmissionError, match="no column 'split', so that test labels would be read; say cuts="
    ):
        ternary_cuts(LABELS.drop(columns="split"))


def persons(*ids):
    return pd.DataFrame({"subject_id": ids, "binary_prediction": 0.5, "score_prediction": 7.0})


def test_two_persons_of_one_id_are_refused_and_one_group_is_not():
    both = persons("mpdd_avg:elder_001", "mpdd_avg:young_001", "mpdd_avg:young_002")
    with pytest.raises(SubmissionError, match=r"^1 ID.*elder_001, mpdd_avg:young_001; .*say age_group=Young"):
        mpdd_avg(both, Facts(LABELS, 0.4))
    assert mpdd_avg(both[1:], Facts(LABELS, 0.4))["id"].tolist() == ["001", "002"]
    with pytest.raises(SubmissionError, match="'adodas:s1:c2:P1' is no person of MPDD-AVG"):
        mpdd_avg(persons("adodas:s1:c2:P1"), Facts(LABELS, 0.4))


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), -0.1, 1.1])
def test_a_threshold_that_is_no_probability_is_refused(threshold):
    with pytest.raises(
        SubmissionError, match=rf"threshold={threshold:g} is no .*say threshold=<a number from 0"
    ):
        mpdd_avg(persons("mpdd_avg:young_1"), Facts(LABELS, threshold))


@pytest.mark.parametrize(
    "cuts", [(5, 10, 15), (10,), (10, 5), (5, 5), (5, float("nan")), (0, 5), (5, float("inf")), ()]
)
def test_cuts_that_make_no_three_classes_are_refused(cuts):
    with pytest.raises(SubmissionError, match=r"^cuts=\(.*\) are not .*say two that rise, .*cuts=5,10"):
        mpdd_avg(persons("mpdd_avg:young_1"), Facts(LABELS, 0.4, cuts=cuts))


def test_every_format_says_that_it_was_not_checked():
    assert all("not checked against the organisers' checker" in one.note for one in FORMATS.values())
