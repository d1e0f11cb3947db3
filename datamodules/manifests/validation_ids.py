"""Validation of the ids of a manifest: unknown subjects, spellings of one person, duplicates."""

import logging
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pandas as pd

from datamodules.manifests.spelling import is_nothing, twins
from datamodules.manifests.validation import describe_rows
from datamodules.manifests.visits import days
from datamodules.schema import IDS, UNKNOWN

_log = logging.getLogger(__name__)

_LONGEST = 200  # characters, our choice: an id is part of file names
_REMEDY = {
    "recording_id": "give each recording a name",
    "subject_id": f"write '{UNKNOWN}' if nobody knows who it is, and a person of that name another id",
    "session_id": "number or name the visit; recordings of one day may share it",
}
_WORD = {"recording_id": "recording", "subject_id": "person", "session_id": "week"}
_BELOW_0 = re.compile(r"-\d+(\.\d*)?")


def check_ids(table: pd.DataFrame) -> list[str]:
    """Report every fault of the ids of a parsed table."""
    return [*_nothing(table), *_odd(table), *_unknown(table), *_repeated(table), *_two_spellings(table)]


def _nothing(table: pd.DataFrame) -> list[str]:
    problems = []
    for name in IDS:
        ids = table[name].tolist()
        known = {value: is_nothing(value) for value in set(ids)}
        empty = [row for row, value in enumerate(ids) if value == ""]
        absent = [row for row, value in enumerate(ids) if value != "" and known[value]]
        if empty:
            problems.append(f"'{name}' is empty in {describe_rows(table, empty)}; {_REMEDY[name]}")
        if absent:
            where = describe_rows(table, absent, [ids[row] for row in absent])
            remedy = _REMEDY[name]
            if coded := next((ids[row] for row in absent if _BELOW_0.fullmatch(ids[row])), None):
                remedy += f"; a number below 0 is a code for none, so add a word: '{_WORD[name]} {coded}'"
            problems.append(f"'{name}' says that there is none in {where}; {remedy}")
    return problems


def _odd(table: pd.DataFrame) -> list[str]:
    """Ids with line ends or other control characters, and ids too long to be one."""
    problems = []
    for name in IDS:
        ids = table[name].tolist()
        rows = [row for row, value in enumerate(ids) if any(map(_breaks, value))]
        if rows:
            where = describe_rows(table, rows, [ids[row] for row in rows])
            problems.append(
                f"'{name}' holds a line end or control character in {where}; write it on one line"
            )
        long = [row for row, value in enumerate(ids) if len(value) > _LONGEST]
        if long:
            where = describe_rows(table, long, [ids[row][:20] + "..." for row in long])
            problems.append(f"'{name}' is longer than {_LONGEST} characters in {where}; shorten it")
    return problems


def _breaks(sign: str) -> bool:
    """Whether a character ends a line or controls a device."""
    kind = unicodedata.category(sign)
    return kind[0] == "C" or kind in ("Zl", "Zp")


def _unknown(table: pd.DataFrame) -> list[str]:
    subjects = table["subject_id"]
    misspelt = np.flatnonzero((subjects.str.lower() == UNKNOWN) & (subjects != UNKNOWN)).tolist()
    if not misspelt:
        return []
    where = describe_rows(table, misspelt, subjects.iloc[misspelt].tolist())
    return [f"'subject_id' would make one person of {where}; write '{UNKNOWN}' in small letters"]


def _repeated(table: pd.DataFrame) -> list[str]:
    ids = table["recording_id"]
    double = np.flatnonzero(ids.duplicated(keep=False) & (ids != ""))
    if not len(double):
        return []
    return [f"'recording_id' repeats in {describe_rows(table, double.tolist())}; give each row its own id"]


def _two_spellings(table: pd.DataFrame) -> list[str]:
    """Persons, and visits of a person, whose names differ in nothing that is surely meant."""
    subjects, sessions = table["subject_id"].tolist(), table["session_id"].tolist()
    problems = []
    persons = [name for name in dict.fromkeys(subjects) if name.lower() != UNKNOWN and not is_nothing(name)]
    for group in twins(persons):
        rows = [subjects.index(name) for name in group]
        problems.append(
            f"'subject_id' would make {_count(group)} persons of {_listed(group)} "
            f"({describe_rows(table, rows, group)}); write one of them everywhere or, if they are different "
            "persons, ids that differ in more than case, accents, zeros in front, blanks and punctuation"
        )
    visits: dict[str, dict[str, int]] = defaultdict(dict)
    for row, (person, session) in enumerate(zip(subjects, sessions, strict=True)):
        if person.lower() != UNKNOWN:
            visits[person].setdefault(session, row)
    for person, own in visits.items():
        groups = [*twins(own, signed=True), *_one_day(own)] if len(own) > 1 else []
        for group in groups:
            rows = [own[name] for name in group]
            problems.append(
                f"'session_id' would make {_count(group)} visits of {_listed(group)} of person {person!r} "
                f"({describe_rows(table, rows, group)}); write one of them everywhere or, if they are "
                "different "
                "visits, names that differ in more than case, zeros in front, blanks and punctuation"
            )
    _say_alike(table["recording_id"])
    return problems


def _one_day(sessions: Iterable[str]) -> list[list[str]]:
    """Pairs of sessions whose names may be the same date, written in two ways."""
    dated = [(name, found) for name in sessions if (found := days(name))]
    return [
        [one, other]
        for place, (one, of_one) in enumerate(dated)
        for other, of_other in dated[place + 1 :]
        if of_one & of_other and not twins([one, other], signed=True) and min(len(of_one), len(of_other)) == 1
    ]


def _say_alike(recordings: pd.Series) -> None:
    """Recordings may have names alike, as files have; one entered twice is found by its content."""
    alike = twins(dict.fromkeys(recordings))
    if alike:
        shown = "; ".join(_listed(group) for group in alike[:5])
        _log.warning(
            "%d group(s) of recording ids look like one id: %s. Is one entered twice?", len(alike), shown
        )


def _count(group: list[str]) -> str:
    return {2: "two", 3: "three"}.get(len(group), str(len(group)))


def _listed(group: list[str]) -> str:
    shown = [repr(name) for name in group[:5]]
    more = f" and {len(group) - 5} more" if len(group) > 5 else ""
    return (", ".join(shown[:-1]) + " and " + shown[-1] if not more else ", ".join(shown)) + more
