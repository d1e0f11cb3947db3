"""What a run must not be used for, and what of this very run makes its numbers weaker."""

from collections.abc import Iterator, Mapping
from typing import Any

from evaluation.report.first_page.numbers import listed
from evaluation.report.run_facts import trial
from evaluation.uncertainty.confidence_intervals import MIN_PERSONS

_SHOWN = ("auc", "mae", "precision", "sensitivity", "specificity")  # metrics that the page has sentences of


def not_for(record: Mapping[str, Any]) -> list[str]:
    """What no run of this software is for, with the questionnaire and the persons of this one."""
    names = [str(one["name"]) for one in record.get("questionnaires") or ()]
    other = f"another questionnaire than the {listed(names)}" if names else "another questionnaire"
    return [
        "Not for a diagnosis. A questionnaire is no diagnosis, and a prediction of it is less.",
        "Not for a decision about a person: no screening, treatment, insurance, work or court.",
        f"Not for other people, {other}, another camera or another task than those tested here.",
    ]


def weaknesses(metrics: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
    """What of this run makes its numbers weaker, the worst first."""
    return [*_conduct(record), *_persons(metrics)]


def _conduct(record: Mapping[str, Any]) -> Iterator[str]:
    if why := trial(record):
        yield f"This was a trial run ({why.partition('. ')[0]}): no number of it is a result."
    if (record.get("seen_in_training") or {}).get("files"):
        yield "The network knows recordings that were tested: its numbers flatter, and no one is a result."
    if record.get("synthetic"):
        yield "Synthetic data: nothing here was seen in a patient."
    if record.get("leaks_on_purpose") or record.get("leaks_of_training"):
        yield "Known leaks of the label were let through on purpose, so that the numbers flatter."
    looks = record.get("test_looks") or 0
    if looks > 1:
        yield f"The tested persons were looked at {looks} times; each look invites choosing by it."


def _persons(metrics: Mapping[str, Any]) -> Iterator[str]:
    test = metrics["test"]
    persons = 0 if test["counts"].get("unknown_subject") else test["counts"].get("subjects", 0)
    if persons == 1:
        yield "One person was tested: what holds for others cannot be said."
    elif 0 < persons < MIN_PERSONS:
        yield f"Only {persons} persons were tested: too few for an interval."
    elif warned := [text for name in _SHOWN if (text := (test.get(name) or {}).get("warning"))]:
        yield f"Few persons make it unreliable: {warned[0]}."
    if unknown := test["counts"].get("unknown_subject"):
        yield f"Of {unknown} recordings nobody knows whose they are: intervals are too narrow."
    if lost := test["counts"].get("unmeasured"):
        yield f"{lost} recordings held no face that could be measured, and are not counted."
