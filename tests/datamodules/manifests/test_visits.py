import numpy as np
import pandas as pd
import pytest

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.visits import in_order, place_of_visits
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.longitudinal import Longitudinal
from datamodules.splits.partition import Split, SplitError
from evaluation.metrics.visit_changes import order_unknown, visit_changes


@pytest.mark.parametrize(
    "names",
    [
        ["V1", "V2", "V10"],
        ["week 6", "week 12"],
        ["session_2", "session_10"],
        ["2020-12-30", "2021-01-02"],
        ["20201230", "20210102"],
        ["2020-12-30T23:00", "2021-01-02T08:30"],
        ["2020-12", "2021-01"],
        ["V1 2020-12-15", "V2 2021-01-01"],
        ["P001_V9", "P001_V10"],
        ["-1", "0", "1"],
        ["v1", "V 2", "V_3"],
        ["03/01/2021", "15/01/2021"],
        ["-7", "-1", "0", "3"],
        ["T \u22127", "T \u22121", "T 0"],
        ["T\u22127", "T\u22121", "T0"],  # a minus is no hyphen
        ["day -7", "day -1", "day 0"],
        ["V-1", "V-2", "V-10"],
        ["week-6", "week-12"],
        ["T7", "T10"],
    ],
)
def test_names_that_tell_an_order(names):
    assert in_order(names[::-1]) == names


@pytest.mark.parametrize(
    "names",
    [
        ["15/01/2021", "03/02/2021"],
        ["12/20/2020", "01/15/2021"],
        ["15.01.21", "03.02.21"],
        ["15012021", "03022021"],
        ["12.2020", "01.2021"],
        ["pre", "mid", "post"],
        ["jan", "feb"],
        ["baseline", "followup"],
        ["V1", "followup"],
        ["day 10", "week 6"],
        ["T-2", "T-1", "T0"],
        ["1.1", "1.2", "2.1"],
        ["0.25 y", "0.5 y"],
        ["1,5", "1,25"],
        ["V1.5", "V1.50"],
        ["V1.9", "V1.10"],
        ["T-7", "T-1"],
        ["t-1", "t-2", "t-3"],
        ["D-14", "D-7"],
    ],
)
def test_names_that_tell_none(names):
    assert in_order(names) is None


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ((4, 3, 2, 1), [3, 2, 1, 0]),  # all visits are numbered: that counts, whatever their names
        ((None, None, None, None), [0, 1, 2, 3]),
        ((1, None, 3, None), [0, 1, 2, 3]),  # some are, and agree with the names
        ((4, 3, None, 1), [np.nan] * 4),  # some are, and contradict them
        ((2, None, None, 2), [np.nan] * 4),
    ],
)
def test_numbers_of_some_visits_do_not_yield_to_names_that_contradict_them(stated, expected):
    table = pd.DataFrame(
        {"subject_id": "a", "session_id": ["V1", "V2", "V3", "V4"], "visit_order": np.array(stated, float)}
    )
    np.testing.assert_array_equal(place_of_visits(table), expected)


@pytest.fixture
def manifest():
    def build(sessions, **columns):
        rows = [
            {"recording_id": f"{p}{s}", "subject_id": p, "session_id": s, "binary": float(p in "ab")}
            for p in "abcd"
            for s in sessions
        ]
        table = pd.DataFrame(rows).assign(**columns)
        return Manifest(table=table, root=None, name="cohort", truth=None)

    return build


def test_longitudinal_asks_for_the_order_and_takes_it_from_the_column(manifest):
    with pytest.raises(SplitError, match=r"order of the visits pre, mid, post of person 'a'.*'visit_order'"):
        Longitudinal().splits(manifest(["pre", "mid", "post"]))
    split = Longitudinal().splits(manifest(["post", "pre", "mid"], visit_order=[3.0, 1.0, 2.0] * 4))[0]
    assert all(name.endswith("post") for name in split.test)
    assert all(name.endswith("pre") for name in split.train)


@pytest.mark.parametrize("names", [["V1.8", "V1.9", "V1.10"], ["T-14", "T-7", "T-1"]])
def test_names_of_two_orders_are_named_with_the_remedy(manifest, names):
    said = rf"visits {', '.join(names)} of person 'a' is not known; number the visits .*'visit_order'"
    with pytest.raises(SplitError, match=said):
        Longitudinal().splits(manifest(names))
    split = Longitudinal().splits(manifest(names, visit_order=[1.0, 2.0, 3.0] * 4))[0]
    assert all(name.endswith(names[-1]) for name in split.test)


def test_the_guard_does_not_promise_an_order_that_nobody_knows(manifest, caplog):
    split = Split("s", ("apre",), ("bpre",), ("apost",), subject_disjoint=False)
    with pytest.raises(LeakageError, match=r"order of the visits is not known of a .trains on pre"):
        check_split(manifest(["pre", "post"]), split, subject_disjoint=False, chronological=True)
    check_split(manifest(["pre", "post"]), split, subject_disjoint=False)
    assert "their order is not known: a" in caplog.text


def test_changes_have_a_reason_instead_of_a_number():
    table = pd.DataFrame({"subject_id": ["a"] * 2, "session_id": ["post", "pre"], "score_target": [1.0, 9.0]})
    table["score_prediction"] = table["score_target"]
    assert "visits such as post, pre is not known" in order_unknown(table)
    known = table.assign(visit_order=[2.0, 1.0])
    assert order_unknown(known) is None
    assert visit_changes(known).target.tolist() == [-8.0]
    assert place_of_visits(known).tolist() == [1.0, 0.0]
    assert np.isnan(place_of_visits(table)).all()
