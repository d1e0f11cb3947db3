import pytest

from evaluation.report.few_persons import without_doubtful_intervals
from evaluation.report.headline import judge


def metrics(persons):
    gap = {"auc": {"value": -0.38, "low": -0.61, "high": -0.14}}
    return {
        "test": {"auc": {"value": 0.5, "low": 0.2, "high": 0.8}, "counts": {"subjects": persons}},
        "reference": {"nuisance": {"auc": {"value": 0.88, "low": 0.1, "high": 1.0}, "difference": gap}},
    }


@pytest.mark.parametrize(("persons", "worse"), [(3, False), (9, False), (10, True)])
def test_three_persons_make_nothing_certain(persons, worse):
    verdict = judge(metrics(persons))
    assert ("worse than the nuisance line" in verdict.headline) is worse
    assert any("no interval to rely on" in sentence for sentence in verdict.sentences) is not worse


def test_the_numbers_themselves_stay_and_so_do_those_of_many_persons():
    few, many = metrics(3), metrics(10)
    bare = without_doubtful_intervals(few)
    assert bare["test"]["auc"] == {"value": 0.5, "low": None, "high": None}
    counted = {"value": 1.0, "low": 0.34, "high": 1.0, "method": "Wilson, persons counted"}
    every = few["test"] | {"sensitivity": counted, "specificity": counted | {"method": "jackknife"}}
    found = without_doubtful_intervals(few | {"test": every})["test"]
    assert found["sensitivity"] == counted  # of two of two persons, which it says
    assert found["specificity"]["low"] is None
    assert few == metrics(3)  # nothing was changed in place
    assert without_doubtful_intervals(many) is many


def test_recordings_of_unknown_persons_may_be_of_one_each():
    few = metrics(3)
    few["test"]["counts"]["unknown_subject"] = 6
    assert without_doubtful_intervals(few)["test"]["auc"]["low"] is None
    few["test"]["counts"]["unknown_subject"] = 7
    assert without_doubtful_intervals(few) is few
