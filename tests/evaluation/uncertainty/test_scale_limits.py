"""No interval of an error lies beyond the points of its questionnaire."""

import math

import numpy as np
import pytest

from evaluation.summary import metrics_json, summarize
from evaluation.uncertainty.scale_limits import cut_to_scale, span_of
from evaluation.uncertainty.table_estimates import paired_differences


@pytest.fixture
def few(cohort):
    """Four persons, one of whom is missed by much more than the others."""
    table = cohort(subjects=4, visits=2)
    score = np.repeat([10.0, 20.0, 30.0, 40.0], 2)
    missed = np.repeat([1.0, 2.0, 23.0, 1.0], 2)
    return table.assign(score_target=score, score_prediction=score + missed)


@pytest.fixture
def beyond(few):
    """Results of the four, and of a line that misses others."""
    line = few.assign(score_prediction=few["score_prediction"].to_numpy()[::-1])
    difference = paired_differences([few], [line])
    return metrics_json(test=summarize([few]), val=None, reference={"constant": {"difference": difference}})


def test_of_few_persons_errors_end_where_the_questionnaire_does(beyond):
    mae = beyond["test"]["mae"]
    assert mae["high"] > 63  # as it would be
    found = cut_to_scale(beyond, 63)
    assert found["test"]["mae"]["high"] == found["test"]["rmse"]["high"] == 63
    assert found["test"]["by_subject"]["mae"]["high"] == 63
    assert found["test"]["mae"]["low"] == mae["low"]
    assert found["test"]["mae"]["method"] == "jackknife over persons, log, cut to a scale of 63 points"
    assert mae["high"] > 63  # nothing was changed in place


def test_differences_end_at_the_whole_scale_on_both_sides(beyond):
    gap = beyond["reference"]["constant"]["difference"]["mae"]
    assert gap["low"] < -24
    found = cut_to_scale(beyond, 24)["reference"]["constant"]["difference"]["mae"]
    assert (found["low"], found["high"]) == (-24, gap["high"])
    assert "cut to a scale of 24 points" in found["method"]
    turned = {"difference": {"mae": gap | {"value": -gap["value"], "low": -gap["high"], "high": -gap["low"]}}}
    assert cut_to_scale(turned, 24)["difference"]["mae"]["high"] == 24


def test_what_is_no_error_in_points_or_is_possible_stays(beyond):
    found = cut_to_scale(beyond, 63)
    for name in set(beyond["test"]) - {"mae", "rmse", "change_mae", "by_subject"}:
        assert found["test"][name] == beyond["test"][name], name
    assert cut_to_scale(beyond, math.inf) == beyond


def test_a_change_can_be_missed_by_two_whole_scales():
    estimate = {"value": 7.0, "low": 1.0, "high": 99.0}
    assert cut_to_scale({"test": {"change_mae": estimate}}, 27)["test"]["change_mae"]["high"] == 54


def test_groups_are_found_in_their_list():
    group = {"group": "f", "mae": {"value": 7.0, "low": 1.0, "high": 99.0}}
    found = cut_to_scale({"sex": {"groups": [group]}}, 27)["sex"]["groups"][0]
    assert (found["group"], found["mae"]["high"]) == ("f", 27)


def test_a_value_beyond_the_scale_keeps_its_interval():
    estimate = {"value": 70.0, "low": 60.0, "high": 99.0}  # predictions that leave the scale
    assert cut_to_scale({"test": {"mae": estimate}}, 27)["test"]["mae"] == estimate


def test_the_longest_questionnaire_counts_and_a_scale_has_points():
    own = [{"low": 0, "high": 27}, {"low": 0, "high": 63}]
    assert span_of({"questionnaires": own}) == 63
    assert span_of({}) == math.inf
    with pytest.raises(ValueError, match="0 points"):
        cut_to_scale({}, 0)
