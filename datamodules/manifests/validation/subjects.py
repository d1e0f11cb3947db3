"""Validation of statements on one person: contradicting sexes, an age that falls or contradicts dates."""

import logging
import re
from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from datamodules.manifests.columns import describe_rows
from datamodules.manifests.visits import days, place_of_visits
from datamodules.schema import UNKNOWN

_log = logging.getLogger(__name__)

# Answers that contradict each other in words, and in codes; others say nothing against any.
_SEXES = {
    **dict.fromkeys(("f", "female", "w", "woman", "weiblich", "femme", "girl"), "female"),
    **dict.fromkeys(("m", "male", "man", "mann", "m\u00e4nnlich", "homme", "boy"), "male"),
}
_CODES = {"0": "0", "1": "1", "2": "2"}
_YEAR = 1.0  # our choice: whole years are rounded up or down
_DECADES = 20.0  # our choice: years between visits without a date that are worth a warning
_DATED = 2.0  # our choice: years by which an age may differ from what two dates say
_FEW = 5
_NAMED_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")  # 2001, visit-2001: may be one, or a number


def check_persons(table: pd.DataFrame) -> list[str]:
    """Report persons whose rows cannot all be true of one person; most often two persons share an id."""
    known = table[table["subject_id"] != UNKNOWN]
    sexes = _sexes(known, table) if "sex" in table else ()
    ages = _ages(known, table) if "age" in table else ()
    return [*_shortened(sexes), *_shortened(ages)]


def _several(told: pd.Series, known: pd.DataFrame) -> np.ndarray:
    """Whether the person of a row is told with several values, (len(told),)."""
    persons, values = pd.factorize(known.loc[told.index, "subject_id"])[0], pd.factorize(told)[0]
    pairs = pd.DataFrame({"person": persons, "value": values}).drop_duplicates()
    return np.bincount(pairs["person"], minlength=1)[persons] > 1


def _sexes(known: pd.DataFrame, table: pd.DataFrame) -> Iterator[str]:
    stated = known["sex"].astype(str).str.strip().str.casefold()
    for words in (_SEXES, _CODES):
        told = stated.map(words).dropna()
        told = told[_several(told, known)]  # of few, and going through all persons takes long
        for person, own in told.groupby(known["subject_id"], sort=False):
            where = describe_rows(table, own.drop_duplicates().index.tolist(), table["sex"])
            yield (
                f"'sex' has two values for person {person!r}: {where}; if two persons share the id, give "
                "each their own; else write one of them, or leave it empty"
            )


def _ages(known: pd.DataFrame, table: pd.DataFrame) -> Iterator[str]:
    told = known["age"].dropna()
    told = told[_several(told, known)]  # the age at entry is often repeated at each visit
    places, jumps = place_of_visits(table) if len(told) else np.zeros(0), list[str]()
    stated = known.loc[told.index, ["subject_id", "session_id", "age"]].drop_duplicates()
    for person, visits in stated.groupby("subject_id", sort=False):
        rows, sessions, ages = visits.index.tolist(), visits["session_id"].tolist(), visits["age"].tolist()
        jumps += _jumps(str(person), sessions, ages)
        found = _age_fault(sessions, ages, places[rows].tolist())
        if found is not None:
            what, *pair = found
            said = {rows[place]: f"{sessions[place]}: {ages[place]:g}" for place in pair}
            yield (
                f"'age' {what} for person {person!r}: {describe_rows(table, said, said)}; if two persons "
                "share the id, give each their own; else correct the age or the order of the visits, or "
                "leave it empty"
            )
    if jumps:
        _log.warning(
            "'age' jumps by decades between visits without a date: %s. Do two persons share an id?",
            "; ".join(_shortened(jumps)),
        )


def _jumps(person: str, sessions: list[str], ages: list[float]) -> list[str]:
    """The youngest and the oldest visit in words, if they are decades apart and no dates explain it."""
    first, then = ages.index(min(ages)), ages.index(max(ages))
    passed = ages[then] - ages[first]
    if sessions[first] == sessions[then] or passed < _DECADES or all(map(days, sessions)):
        return []
    years = [_NAMED_YEAR.findall(sessions[place]) for place in (first, then)]
    if all(len(own) == 1 for own in years) and abs(int(years[1][0]) - int(years[0][0]) - passed) <= _DATED:
        return []
    return [f"person {person!r}: {sessions[first]}: {ages[first]:g}, {sessions[then]}: {ages[then]:g}"]


def _age_fault(sessions: list[str], ages: list[float], order: list[float]) -> tuple[str, int, int] | None:
    """What is wrong between two of the visits of a person, and which two."""
    dates = [days(session) for session in sessions]
    for pair in combinations(range(len(ages)), 2):
        first, then = pair if not order[pair[0]] > order[pair[1]] else pair[::-1]
        passed = ages[then] - ages[first]
        if sessions[first] == sessions[then]:
            if abs(passed) > _YEAR:
                return "has two values in one session", first, then
        elif len(dates[first]) == len(dates[then]) == 1:
            (earlier,), (later,) = dates[first], dates[then]
            if abs(passed - _years(earlier, later)) > _DATED:
                return "is not what the dates of the sessions say", first, then
        elif order[first] < order[then] and passed < -_YEAR:
            return "falls from an earlier to a later visit", first, then
    return None


def _years(one: tuple[int, int, int], two: tuple[int, int, int]) -> float:
    return (two[0] - one[0]) + (two[1] - one[1]) / 12 + (two[2] - one[2]) / 365


def _shortened(problems: Iterable[str]) -> list[str]:
    problems = list(problems)
    more = len(problems) - _FEW
    return [*problems[:_FEW], f"the same of {more} more persons"] if more > 0 else problems
