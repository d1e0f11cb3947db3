import json

import numpy as np
import pytest

from evaluation.forecast.design import Assumptions, Design
from evaluation.forecast.forecast import Expectation, Wanted, forecast
from evaluation.forecast.labels import Labels
from evaluation.forecast.reader import METRICS, UnreachableError, strength_of

WANTED = Wanted(
    width={"auc": 0.1, "mae": 1.0, "rmse": 1.0, "ccc": 0.1},
    difference={"auc": 0.05, "mae": 0.5, "rmse": 0.5, "ccc": 0.05},
)


def made(labels, persons=47, expectation=None, **options):
    given = {"assumed": Assumptions(), "wanted": WANTED, "curve": (20, 100)} | options
    return forecast(labels, Design(persons, np.array([1])), expectation=expectation or Expectation(), **given)


def test_every_metric_has_its_interval_difference_and_persons(labels_of):
    found = made(labels_of())
    json.dumps(found, allow_nan=False)
    for name in METRICS:
        row = found[name]
        assert row["low"] < row["value"] < row["high"]
        assert row["width"] == pytest.approx(row["high"] - row["low"])
        assert [one["persons"] for one in row["curve"]] == [20, 47, 100]
        assert row["curve"][1]["width"] == row["width"]
        assert row["curve"][1]["difference"] == row["difference"]


def test_so_many_persons_are_enough_and_one_fewer_is_not(labels_of):
    for kind, needed in made(labels_of(), curve=())["auc"]["persons"].items():
        enough, fewer = (made(labels_of(), needed["persons"] - less, curve=())["auc"] for less in (0, 1))
        assert enough[kind] <= needed["wanted"] < fewer[kind]


def test_errors_follow_from_the_auc_or_are_given(labels_of):
    follow, given = made(labels_of()), made(labels_of(), expectation=Expectation(mae=3.0))
    assert given["mae"]["value"] == pytest.approx(3.0)
    assert given["auc"]["value"] == pytest.approx(follow["auc"]["value"])
    assert given["rmse"]["value"] < follow["rmse"]["value"]
    with pytest.raises(UnreachableError, match="mae=30"):
        made(labels_of(), expectation=Expectation(mae=30.0))


def test_what_labels_do_not_have_is_told(labels_of, classes_of):
    classes = made(classes_of(20, 60))
    assert classes["mae"]["reason"] == "no scores of one questionnaire that differ were read"
    assert classes["auc"]["width"] > 0
    labels = labels_of()
    one_class = Labels(labels.person, np.zeros(len(labels.person)), labels.score)
    found = made(one_class)
    assert found["auc"]["reason"] == "the labels that were read hold one class only"
    assert "give mae=" in found["mae"]["reason"]
    assert made(one_class, expectation=Expectation(mae=3.5))["mae"]["width"] > 0


def test_too_few_persons_of_a_class_are_a_reason_and_not_a_number(classes_of):
    row = made(classes_of(20, 60), persons=6)["auc"]
    assert row["low"] is row["high"] is row["width"] is None
    assert row["reason"].startswith("1.5 persons of a class")
    assert row["persons"]["width"]["persons"] > 100


def test_a_weak_reader_has_no_ccc_but_the_reason(labels_of):
    """A best guess of correlation r has CCC 2 r^2 / (1 + r^2): half of r is left from 2 - sqrt(3)."""
    labels = labels_of()
    kinds = labels.kinds
    for auc, told in ((0.6, False), (0.65, True)):
        rows = made(labels, expectation=Expectation(auc=auc), curve=())
        seen = strength_of("auc", kinds, auc)
        spread = float(np.sqrt(kinds.share @ kinds.points**2))
        r = float(kinds.share @ (kinds.points * kinds.seen)) / spread * seen / np.sqrt(seen**2 + 1)
        assert (r >= 2 - np.sqrt(3)) == told
        assert rows["mae"]["width"] > 0
        if told:
            assert rows["ccc"]["value"] == pytest.approx(2 * r**2 / (1 + r**2), abs=1e-6)
        else:
            assert set(rows["ccc"]) == {"reason"}
            assert f"correlate by {r:.2f} with the scores" in rows["ccc"]["reason"]


@pytest.mark.parametrize("persons", [1, 2])
def test_of_one_or_two_persons_no_metric_has_numbers(labels_of, persons):
    found = made(labels_of(), persons, curve=())
    for name in METRICS:
        assert found[name]["width"] is None
        assert "tested persons" in found[name]["reason"]
        assert found[name]["persons"]["width"]["persons"] >= 3
