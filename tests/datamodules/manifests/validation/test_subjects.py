"""What cannot be true of one person is named; what can, passes (more cases in test_bad_manifests)."""

import pandas as pd
import pytest

from datamodules.manifests.validation.subjects import check_persons


def table(sessions, person="P1", **columns):
    rows = {
        "recording_id": [f"r{n}" for n in range(len(sessions))],
        "subject_id": person,
        "session_id": sessions,
    }
    return pd.DataFrame(rows | columns)


@pytest.mark.parametrize(
    ("sessions", "ages", "fault"),
    [
        (["V1", "V2", "V3"], [30.0, 31.0, 28.0], "falls from an earlier to a later visit"),
        (["V3", "V1", "V2"], [28.0, 30.0, 31.0], "falls"),
        (["2015-03-01", "2018-03-01"], [40.0, 40.0], None),  # the age at entry
        (["2015-03-01", "2018-03-01", "2018-04-01"], [40.0, 40.0, 43.0], "is not what the dates"),
        (["2001", "2021"], [20.0, 40.0], None),
        (["2001", "2021"], [40.0, 20.0], "falls"),
        (["2019-03-01", "2021-03-01"], [30.0, 36.0], "is not what the dates of the sessions say"),
        (["2021-03-01", "2019-03-01"], [30.0, 36.0], "is not what the dates of the sessions say"),
        (["V1", "V1"], [30.0, 33.0], "has two values in one session"),
        (["V1", "V2", "V3"], [30.0, 30.0, 31.0], None),
        (["V1", "V2", "V3"], [30.5, 30.0, float("nan")], None),
        (["2001-03-01", "2031-03-01"], [30.0, 60.0], None),
        (["post", "pre"], [31.0, 30.0], None),
    ],
)
def test_ages_of_one_person(sessions, ages, fault):
    problems = check_persons(table(sessions, age=ages))
    assert [fault in problem for problem in problems] == ([True] if fault else [])


@pytest.mark.parametrize(
    ("sessions", "ages", "told"),
    [
        (["V1", "V2"], [12.0, 45.0], True),
        (["baseline", "follow-up"], [20.0, 41.0], True),
        (["visit 2001", "visit 2003"], [20.0, 41.0], True),
        (["visit 2001", "visit 2021"], [20.0, 40.0], False),
        (["2001-03-01", "2031-03-01"], [30.0, 60.0], False),
        (["baseline", "follow-up"], [20.0, 35.0], False),
    ],
)
def test_an_age_that_jumps_without_a_date_is_told(sessions, ages, told, caplog):
    assert check_persons(table(sessions, age=ages)) == []
    assert ("jumps by decades" in caplog.text) == told
    assert f"person 'P1': {sessions[0]}: {ages[0]:g}" in caplog.text or not told


@pytest.mark.parametrize(
    ("sexes", "faults"),
    [
        (["f", "m"], 1),
        (["Female ", "F"], 0),
        (["0", "1"], 1),
        (["m", "x"], 0),
        (["", "m"], 0),
        (["w", "2"], 0),
    ],
)
def test_sexes_of_one_person(sexes, faults):
    assert len(check_persons(table(["V1", "V2"], sex=sexes))) == faults
    assert not check_persons(table(["V1", "V2"], person="unknown", sex=sexes))
    assert not check_persons(table(["V1", "V2"], person=["A", "B"], sex=sexes))


def test_many_persons_are_named_in_part():
    persons = [f"P{n // 2}" for n in range(40)]
    problems = check_persons(
        table(["V1", "V2"] * 20, person=persons, sex=["f", "m"] * 20, age=[50.0, 20.0] * 20)
    )
    assert len(problems) == 2 * (5 + 1)
    assert problems[5] == "the same of 15 more persons"
