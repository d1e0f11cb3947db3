"""Order of a person's visits, from a column of the manifest or from their names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd

from datamodules.manifests.spelling import plain

COLUMN = "visit_order"
REMEDY = (
    f"number the visits of each person in time in the column '{COLUMN}', or name them so that one number "
    "grows (V1, V2; week 6, week 12) or by dates with the year first (2021-01-15)"
)

Key = tuple[int | str, ...]

# A date with the year first, perhaps with a time; 20210115 as well.
_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:([-/._])(\d{1,2})(?:\2(\d{1,2}))?|(\d\d)(\d\d))"
    r"(?:[t _-](\d{1,2})[:.h_-]?(\d\d)(?:[:._-]?(\d\d)(?:\.\d+)?)?)?z?(?!\d)"
)
_PACKED = re.compile(r"(?<!\d)(?:(\d\d)(\d\d)((?:19|20)\d\d)|(\d\d)(\d\d)(\d\d))(?!\d)")  # 15012021, 150121
_DAY = re.compile(  # alone: 2021-01-15, 20210115, 15.01.2021; perhaps with the time 0:00
    r"(?:(?P<year>(?:19|20)\d\d)(?P<sep>[-/._])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})"
    r"|(?P<pyear>(?:19|20)\d\d)(?P<pmonth>\d\d)(?P<pday>\d\d)"
    r"|(?P<one>\d{1,2})(?P<by>[-/._])(?P<two>\d{1,2})(?P=by)(?P<last>(?:19|20)\d\d))"
    r"(?:[t ]0?0[:.]00(?:[:.]00(?:\.0+)?)?z?)?",
    re.IGNORECASE,
)
_DECIMAL = re.compile(r"(?<![\d.,])(\d+)[.,](\d+)(?![\d.,])")
_BEFORE = re.compile(r"[tdwmyh]-\d+([.,]\d+)?", re.IGNORECASE)  # T-7: a week before, or the seventh?
_MONTHS_OR_DAYS = 31


def in_order(names: Iterable[str]) -> list[str] | None:
    """The different names of one person's visits from the first to the last; None if that is unknown.

    Names tell an order if they differ in numbers only, and each of the numbers that differ gives the same
    order. Dates count as one number if the year comes first: `15/01/2021` and `03/02/2021` contradict each
    other by day and month, so they tell none; nor do `pre` and `post`, nor `0.5 y` and `0.25 y`,
    whose order depends on whether they are decimals, nor `T-7` and `T-1`, whose hyphen may be a minus.

    Examples:
        >>> in_order(["V10", "V9"]), in_order(["2020-12-20", "2020-02-01"]), in_order(["pre", "post"])
        (['V9', 'V10'], ['2020-02-01', '2020-12-20'], None)
    """
    different = list(dict.fromkeys(names))
    if len(different) < 2:
        return different
    parts = [_numbered(name) for name in different]
    if len({text for text, _ in parts}) > 1:
        return None
    if _decimals(different) or all(_BEFORE.fullmatch(plain(name)) for name in different):
        return None
    numbers = np.array([values for _, values in parts], dtype=object)
    order = sorted(range(len(different)), key=lambda row: parts[row][1])
    for column in range(numbers.shape[1] if numbers.ndim == 2 else 0):
        grown = [numbers[row, column] for row in order]
        if any(later < earlier for earlier, later in pairwise(grown)):
            return None
    same = any(parts[a][1] == parts[b][1] for a, b in pairwise(order))
    return None if same else [different[row] for row in order]


def _numbered(name: str) -> tuple[str, tuple[int, ...]]:
    """The name with its numbers cut out, and the numbers; a date with the year first is one number."""
    text = plain(name).casefold()
    text = "".join(str(int(c)) if c.isdecimal() else c for c in text)
    values: list[int] = []

    def date(found: re.Match[str]) -> str:
        year, _, month, day, packed_month, packed_day, *clock = found.groups()
        parts = [year, month or packed_month, day or packed_day or "0", *(part or "0" for part in clock)]
        if not 1 <= int(parts[1]) <= 12 or int(parts[2]) > _MONTHS_OR_DAYS:
            return found[0]
        return "\x01" + "".join(part.zfill(2) for part in parts) + "\x01"

    text = _DATE.sub(date, text)
    text = _PACKED.sub(_unpacked, text)
    text = re.sub(r"(?<![\w\x01])[-\u2212](?=\d)|\u2212(?=\d)", "\x02", text)  # a sign, not a hyphen

    def number(found: re.Match[str]) -> str:
        values.append(-int(found[1]) if found[0][0] == "\x02" else int(found[1]))
        return "#"

    text = re.sub(r"[\x01\x02]*(\d+)\x01*", number, text)
    return re.sub(r"[\s_.]+", "", text), tuple(values)


def _decimals(names: Sequence[str]) -> bool:
    """Whether numbers such as 0.5 and 0.25 have another order as decimals than part by part."""
    found = [_DECIMAL.findall(name) for name in names]
    if not all(len(own) == 1 for own in found):
        return False
    parts = [(int(own[0][0]), int(own[0][1])) for own in found]
    values = [float(".".join(own[0])) for own in found]
    ranked = [sorted(range(len(names)), key=keys.__getitem__) for keys in (parts, values)]
    return ranked[0] != ranked[1] or len(set(values)) < len(set(parts))


def _unpacked(found: re.Match[str]) -> str:
    """Six or eight digits that may be a day, a month and a year become three numbers."""
    parts = [part for part in found.groups() if part]
    small = sorted(map(int, parts[:2]))
    if not (1 <= small[0] <= 12 and 1 <= small[1] <= _MONTHS_OR_DAYS):
        return found[0]
    return "/".join(parts)


def days(name: str) -> frozenset[tuple[int, int, int]]:
    """Days (year, month, day) that a name of nothing but a date may mean, midnight included; else none.

    Examples:
        >>> days("20210105") == days("2021-1-5 00:00:00") == days("05.01.2021")
        True
    """
    found = _DAY.fullmatch(plain(name))
    if found is None:
        return frozenset()
    year, month, day = (int(found[key] or 0) for key in ("year", "month", "day"))
    if not year:
        year, month, day = (int(found[f"p{key}"] or 0) for key in ("year", "month", "day"))
    readings = [(year, month, day)]
    if not year:
        one, two, year = (int(found[key]) for key in ("one", "two", "last"))
        readings = [(year, two, one)] + ([(year, one, two)] if found["by"] != "." else [])
    return frozenset(own for own in readings if 1 <= own[1] <= 12 and 1 <= own[2] <= _MONTHS_OR_DAYS)


def place_of_visits(table: pd.DataFrame) -> np.ndarray:
    """Place of each row's visit among those of its person, float (len(table),), from 0; NaN if unknown.

    Taken from the column `visit_order` where all visits of the person have it, and else from the session ids,
    if the numbers that some of the visits have do not contradict these: then nothing is known.

    Args:
        table: `subject_id`, `session_id` and perhaps `visit_order`. All rows of one id are one person.
    """
    sessions = table["session_id"].astype(str).tolist()
    stated: Sequence[float] = table[COLUMN].tolist() if COLUMN in table else [np.nan] * len(table)
    places = np.full(len(table), np.nan)
    for own in table.groupby("subject_id", sort=False).indices.values():
        order = _places({sessions[row]: float(stated[row]) for row in own})
        places[own] = [order.get(sessions[row], np.nan) for row in own]
    return places


def _places(stated: Mapping[str, float]) -> dict[str, float]:
    if not np.isnan(list(stated.values())).any():
        ranked = sorted(set(stated.values()))
        return {session: float(ranked.index(value)) for session, value in stated.items()}
    places = _places_by_name(tuple(stated))
    told = [stated[session] for session in places if not np.isnan(stated[session])]  # in the order of names
    return {} if any(later <= earlier for earlier, later in pairwise(told)) else places


@lru_cache(maxsize=4096)  # most persons of a study have visits of the same names
def _places_by_name(sessions: tuple[str, ...]) -> dict[str, float]:
    return {session: float(place) for place, session in enumerate(in_order(sessions) or [])}
