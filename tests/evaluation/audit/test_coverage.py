import numpy as np
import pytest

from evaluation.audit.coverage import coverage
from evaluation.audit.slices import slices
from evaluation.uncertainty.prediction_intervals import add_intervals


def test_coverage_is_the_share_of_scores_inside(recordings):
    table = recordings.head(4).assign(
        score_target=[1.0, 5, 9, np.nan], low=[0.0, 5, 10, 0], high=[2.0, 6, 12, 9]
    )
    table["subject_id"] = list("abcd")
    found = coverage(table)
    assert found["reached"]["value"] == pytest.approx(2 / 3)
    assert found["width"] == pytest.approx(5 / 3)
    assert (found["promised"], found["recordings"]) == (0.9, 3)


@pytest.mark.slow
def test_conformal_intervals_reach_what_they_promise(cohort):
    test, validation = cohort(subjects=200), cohort(subjects=200, seed=1, split="val", first=900)
    table = add_intervals(test, validation, low=0, high=63)
    found = coverage(table)
    assert found["reached"]["low"] < 0.9 + 0.02
    assert found["reached"]["high"] > 0.9 - 0.02
    sex = np.repeat(["f", "m"] * 100, 3)
    facts = table[["recording_id"]].assign(sex=sex)
    groups = slices(table, facts, threshold=0.5)["sex"]["groups"]
    inside = table["score_target"].between(table["low"], table["high"])
    assert groups[0]["coverage"]["value"] == pytest.approx(inside[sex == "f"].mean())
    assert groups[0]["coverage"]["low"] < groups[0]["coverage"]["value"] < groups[0]["coverage"]["high"]


def test_without_score_intervals_there_is_a_reason(recordings):
    assert "interval" in coverage(recordings)["reason"]
    empty = recordings.assign(low=np.nan, high=np.nan)
    assert "interval" in coverage(empty)["reason"]
