"""Of whom a run asked: what is counted, and what is not known."""

import re


def test_every_head_of_the_table_says_what_is_counted_below_it(run):
    page = run().page
    heads = re.findall(r"<th>(.*?)</th>", page)
    assert heads[1:] == [
        "Persons",
        "Recordings",
        "Recordings at or above the cut-off",
        "Mean score (SD) of recordings",
        "Age of persons",
        "Persons by sex",
    ]


def test_of_unknown_persons_nobody_is_said_to_have_come_again(run, cohort):
    nobody = run(cohort().assign(subject_id="unknown")).text
    assert "Whose recordings these are is not known, so that recordings are counted below" in nobody
    assert "came more than once" not in nobody
    assert "intervals are over recordings, as if each were of another" in nobody
    assert "Tested not known 90" in nobody
    some = cohort(subjects=40, visits=1)
    some.loc[:9, "subject_id"] = "unknown"
    text = run(some).text
    assert "Recordings are counted below: of 10 recordings it is not known whose they are." in text
    assert "came more than once" not in text
    again = cohort()
    again.loc[:2, "subject_id"] = "unknown"
    assert "some persons came more than once, and of 3 recordings it is not known" in run(again).text
    assert "Some came more than once" in run().text


def test_where_persons_are_unknown_nobody_is_said_to_be_in_one_group_alone(run, cohort):
    some = cohort()
    some.loc[:80, "subject_id"] = "unknown"
    parts = {
        "holdout": {"train": {"recordings": 180, "persons": 60}, "test": {"recordings": 90, "persons": 3}}
    }
    parts["holdout"]["test"]["unknown"] = 81
    text = run(some, changed={"parts": parts}).text
    assert "Of some recordings nobody knows whose they are, so that a person may be in two groups." in text
    assert "nobody is in two groups" not in text
    assert "Tested 3 and unknown ones 90" in text
    assert "persons were tested: too few" not in text  # how many there were is not known
    folds = {
        f"fold{n}": {"train": {"recordings": 72, "persons": 24, "unknown": 1}, "test": {}} for n in range(5)
    }
    text = run(changed={"parts": folds}).text
    assert "not learned from that person, as far as it is known whose recordings these are." in text
