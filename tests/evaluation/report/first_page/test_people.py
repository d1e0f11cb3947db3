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
