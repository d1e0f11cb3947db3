from pathlib import Path

import pytest

from datamodules.sources.shared.draft import Draft, SourceError
from datamodules.sources.shared.phq8 import ITEMS, complete_items


@pytest.fixture
def draft():
    return Draft(name="corpus", root=Path("root"))


def items(*answers):
    return dict(zip(ITEMS, answers, strict=True))


def test_the_items_are_in_the_order_of_the_questionnaire():
    assert [names[0] for names in ITEMS.values()] == [
        "PHQ8_NoInterest",
        "PHQ8_Depressed",
        "PHQ8_Sleep",
        "PHQ8_Tired",
        "PHQ8_Appetite",
        "PHQ8_Failure",
        "PHQ8_Concentrating",
        "PHQ8_Moving",
    ]
    assert list(ITEMS) == [f"item_phq8_{number}" for number in range(1, 9)]


def test_answers_that_add_up_are_left_alone(draft):
    answers = items(1, 2, 3, 0, 0, 1, 0, 0)
    assert complete_items(answers, 7, number="1", draft=draft) == answers
    assert complete_items(answers, None, number="1", draft=draft) == answers
    assert draft.errata == []


def test_one_empty_answer_follows_from_the_total(draft):
    found = complete_items(items(1, 2, None, 0, 0, 1, 0, 0), 6, number="7", draft=draft)
    assert found == items(1, 2, 2, 0, 0, 1, 0, 0)
    assert [str(erratum) for erratum in draft.errata] == [
        "item_from_total: participant 7: PHQ8_Sleep empty -> 2 (total 6 minus the rest)"
    ]


@pytest.mark.parametrize(("score", "empty"), [(8, 1), (3, 1), (6, 2)])
def test_what_does_not_follow_stays_empty(draft, score, empty):
    answers = items(1, 2, None, 0, 0, 1, 0, None if empty == 2 else 0)
    assert complete_items(answers, score, number="7", draft=draft) == answers
    assert [(erratum.rule, erratum.change) for erratum in draft.errata] == [
        ("missing_items", f"{empty} items empty and left so")
    ]


def test_an_answer_that_is_none_is_refused(draft):
    with pytest.raises(SourceError, match=r"participant 7: PHQ8_Tired is 0\.5, an answer is 0, 1, 2 or 3"):
        complete_items(items(1, 2, 0, 0.5, 0, 1, 0, 0), 6, number="7", draft=draft)
