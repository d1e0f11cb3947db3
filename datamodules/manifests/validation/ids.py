"""Validation of the ids of a manifest: unknown subjects, spellings of one person, duplicates."""

import logging
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import numpy as np
import pandas as pd

from datamodules.manifests.columns import describe_rows
from datamodules.manifests.spelling import is_nothing, twins
from datamodules.manifests.visits import days
from datamodules.schema import IDS, UNKNOWN
from datamodules.wording import first_few

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
    """Report every fault of the ids of a parsed table; recording ids that look alike are only logged."""
    _say_alike(table["recording_id"])
    subjects, recordings = table["subject_id"], table["recording_id"]
    problems = [problem for name in IDS for problem in _bad_cells(table, name)]
    if where := describe_rows(table, (subjects.str.lower() == UNKNOWN) & (subjects != UNKNOWN), subjects):
        problems.append(f"'subject_id' would make one person of {where}; write '{UNKNOWN}' in small letters")
    if where := describe_rows(table, recordings.duplicated(keep=False) & (recordings != "")):
        problems.append(f"'recording_id' repeats in {where}; give each row its own id")
    return [*problems, *_two_subjects(table), *_two_sessions(table)]


def _bad_cells(table: pd.DataFrame, name: str) -> Iterator[str]:
    """Ids that are none, hold line ends or other control characters, or are too long to be one."""
    ids = table[name]
    if where := describe_rows(table, ids == ""):
        yield f"'{name}' is empty in {where}; {_REMEDY[name]}"
    absent = (ids != "") & ids.map({value: is_nothing(value) for value in set(ids)})
    if where := describe_rows(table, absent, ids):
        remedy = _REMEDY[name]
        if coded := next(filter(_BELOW_0.fullmatch, ids[absent]), None):
            remedy += f"; a number below 0 is a code for none, so add a word: '{_WORD[name]} {coded}'"
        yield f"'{name}' says that there is none in {where}; {remedy}"
    if where := describe_rows(table, _broken(ids), ids):
        yield f"'{name}' holds a line end or control character in {where}; write it on one line"
    if where := describe_rows(table, ids.str.len() > _LONGEST, ids.str[:20] + "..."):
        yield f"'{name}' is longer than {_LONGEST} characters in {where}; shorten it"


def _broken(ids: pd.Series) -> np.ndarray:
    # what can be printed holds no such character, and is told fast
    values = ids.tolist()
    return np.array(
        [not value.isprintable() and any(map(_breaks, value)) for value in values], dtype=np.bool_
    )


def _breaks(sign: str) -> bool:
    """Whether a character ends a line or controls a device."""
    kind = unicodedata.category(sign)
    return kind[0] == "C" or kind in ("Zl", "Zp")


def _two_subjects(table: pd.DataFrame) -> Iterator[str]:
    """Persons whose names differ in nothing that is surely meant."""
    rows = {name: row for row, name in reversed([*enumerate(table["subject_id"])])}  # the first of each
    names = dict.fromkeys(table["subject_id"])
    for group in twins(name for name in names if name.lower() != UNKNOWN and not is_nothing(name)):
        yield (
            f"'subject_id' would make {_count(group)} persons of {_listed(group)} "
            f"({_first_rows(table, rows, group)}); write one of them everywhere or, if they are different "
            "persons, ids that differ in more than case, accents, zeros in front, blanks and punctuation"
        )


def _two_sessions(table: pd.DataFrame) -> Iterator[str]:
    """Visits of a person whose names differ in nothing that is surely meant."""
    visits: dict[str, dict[str, int]] = defaultdict(dict)
    for row, (person, session) in enumerate(zip(table["subject_id"], table["session_id"], strict=True)):
        if person.lower() != UNKNOWN:
            visits[person].setdefault(session, row)
    for person, rows in visits.items():
        for group in _one_visit(tuple(rows)) if len(rows) > 1 else ():
            yield (
                f"'session_id' would make {_count(group)} visits of {_listed(group)} of person {person!r} "
                f"({_first_rows(table, rows, group)}); write one of them everywhere or, if they are "
                "different visits, names that differ in more than case, zeros in front, blanks and "
                "punctuation"
            )


@lru_cache(maxsize=4096)  # most persons of a study have visits of the same names
def _one_visit(sessions: tuple[str, ...]) -> list[list[str]]:
    return [*twins(sessions, signed=True), *_one_day(sessions)]


def _first_rows(table: pd.DataFrame, rows: Mapping[str, int], group: list[str]) -> str:
    said = {rows[name]: name for name in group}
    return describe_rows(table, said, said)


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
    names = [repr(name) for name in group]
    return first_few(names, 5) if len(names) > 5 else ", ".join(names[:-1]) + " and " + names[-1]
