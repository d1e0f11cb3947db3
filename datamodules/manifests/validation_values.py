"""Validation of the values of a manifest: finds impossible and contradicting ones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from datamodules.manifests.questionnaires import SUBSCALES
from datamodules.manifests.validation import PREFIXES, describe_rows
from datamodules.schema import UNKNOWN


@dataclass(frozen=True)
class _Range:
    """What a number may be, and what to do about one that is not."""

    low: float
    high: float
    remedy: str
    whole: bool = False


_FROM_FILE = "leave it empty to read it from the file"
_SHARE = "it is a share of the picture from 0 to 1, leave it empty if unknown"
# Our choices: wide enough for whatever can be true of a recording of a person.
_RANGES = {
    "fps": _Range(0.1, 1000, f"frames per second; {_FROM_FILE}"),
    "n_frames": _Range(1, 1e8, f"a count of frames; {_FROM_FILE}", whole=True),
    "duration_s": _Range(1e-3, 1e6, f"seconds; {_FROM_FILE}"),
    "width": _Range(1, 65_536, f"pixels; {_FROM_FILE}", whole=True),
    "height": _Range(1, 65_536, f"pixels; {_FROM_FILE}", whole=True),
    "age": _Range(0, 120, "years; leave it empty if unknown"),
    "brightness": _Range(0, 1, f"mean gray level from 0, black, to 1, white; {_FROM_FILE}"),
    "border": _Range(0, 1e6, "leave it empty if unknown"),
    "blur": _Range(0, 1e9, "leave it empty if unknown"),
    "face_x": _Range(-1, 2, _SHARE),
    "face_y": _Range(-1, 2, _SHARE),
    "face_size": _Range(0, 10, _SHARE),
    "yaw": _Range(-360, 360, "an angle; leave it empty if unknown"),
    "pitch": _Range(-360, 360, "an angle; leave it empty if unknown"),
    "roll": _Range(-360, 360, "an angle; leave it empty if unknown"),
    "visit_order": _Range(-1e9, 1e9, "numbers the visits of a person in time", whole=True),
}
_TRAIT = _Range(-1000, 1000, "a score of a trait; leave it empty if unknown")
_ITEM = _Range(0, 100, "an answer counted from 0; leave it empty if there is none", whole=True)
_EITHER = "correct the one or the other, or clear what is not certain"
_SLACK = 0.05  # of n_frames against fps times duration, our choice: containers round


def check_values(table: pd.DataFrame) -> list[str]:
    """Report every number that cannot be, and every pair of statements that cannot both be true."""
    return [
        *_ranges(table),
        *_items(table),
        *_item_names(table),
        *_lengths(table),
        *_totals(table),
        *_two_answers(table),
        *_orders(table),
    ]


def _ranges(table: pd.DataFrame) -> list[str]:
    problems = []
    known = {name for scale in SUBSCALES.values() for name in scale.columns}
    for name in table.columns:
        limits = _RANGES.get(name)
        if str(name).startswith(PREFIXES):
            limits = _TRAIT if str(name).startswith("trait_") else None if name in known else _ITEM
        if limits is None:
            continue
        values = table[name].to_numpy(dtype=np.float64)
        odd = ~np.isnan(values) & ~((values >= limits.low) & (values <= limits.high))
        if limits.whole:
            odd |= ~np.isnan(values) & (values % 1 != 0)
        if odd.any():
            rows = np.flatnonzero(odd)
            whole = "a whole number " if limits.whole else ""
            problems.append(
                f"'{name}' is not {whole}from {limits.low:g} to {limits.high:g} in "
                f"{describe_rows(table, rows.tolist(), values[rows].tolist())}: {limits.remedy}"
            )
    return problems


def _items(table: pd.DataFrame) -> list[str]:
    """Answers outside their range, for the items of known questionnaires."""
    problems = {}
    for scale in SUBSCALES.values():
        for name, high in zip(scale.columns, scale.highest, strict=True):
            if name not in table:
                continue
            values = table[name].to_numpy(dtype=np.float64)
            possible = (values >= 0) & (values <= high) & (values % 1 == 0)
            rows = np.flatnonzero(~np.isnan(values) & ~possible)
            if rows.size:
                problems[name] = (
                    f"'{name}' is not a whole number from 0 to {high} in "
                    f"{describe_rows(table, rows.tolist(), values[rows].tolist())}: subtract 1 from "
                    "items coded "
                    "from 1, leave unanswered ones empty"
                )
    return list(problems.values())


def _item_names(table: pd.DataFrame) -> list[str]:
    """Columns that are an item of a known questionnaire but for zeros in front of its number."""
    known = {_bare(name): name for scale in SUBSCALES.values() for name in scale.columns}
    return [
        f"column '{name}' is '{known[_bare(name)]}' of a questionnaire with another spelling; rename it"
        for name in map(str, table)
        if name.startswith("item_") and known.get(_bare(name), name) != name
    ]


def _bare(name: str) -> str:
    return re.sub(r"_0*(?=\d+$)", "_", name.lower())


def check_sums(table: pd.DataFrame) -> list[str]:
    """Questionnaires whose items do not add up to the stated total, whatever the unanswered ones were."""
    if "score" not in table or "scale" not in table:
        return []
    problems = []
    for name in sorted(set(table["scale"]) & set(SUBSCALES)):
        items = SUBSCALES[name].within(table)
        there = [column for column in items.columns if column in table]
        if not there:
            continue
        answers = table.reindex(columns=list(items.columns)).to_numpy(dtype=np.float64)
        factor = 2 if items.scale.doubled else 1
        least = np.nansum(answers, axis=1) * factor
        most = least + (np.isnan(answers) * np.array(items.highest)).sum(axis=1) * factor
        score = table["score"].to_numpy(dtype=np.float64)
        wrong = (table["scale"] == name).to_numpy() & ((score < least) | (score > most))
        if wrong.any():
            rows = np.flatnonzero(wrong).tolist()
            from_one = factor * (answers - 1).sum(axis=1) == score
            coded = bool(from_one[rows].all() and (answers[rows] >= 1).all())
            said = [_sum_said(score[row], least[row], most[row]) for row in rows]
            problems.append(
                f"'score' is not the sum of the items of {name} in "
                f"{describe_rows(table, rows, said)}; "
                + ("the items are coded from 1: subtract 1" if coded else _EITHER)
            )
    return problems


def _sum_said(score: float, least: float, most: float) -> str:
    return f"{score:g}, items {least:g}" + ("" if least == most else f" to {most:g}")


def _lengths(table: pd.DataFrame) -> list[str]:
    """Counts of frames that rate and duration contradict."""
    if not {"n_frames", "fps", "duration_s"} <= set(table):
        return []
    frames, fps, seconds = (
        table[name].to_numpy(dtype=np.float64) for name in ("n_frames", "fps", "duration_s")
    )
    expected = fps * seconds
    wrong = np.abs(frames - expected) > np.maximum(2 * fps, _SLACK * expected)  # False where one is missing
    if not wrong.any():
        return []
    rows = np.flatnonzero(wrong).tolist()
    said = [f"{frames[row]:g} against {expected[row]:g}" for row in rows]
    return [
        f"'n_frames' is not 'fps' times 'duration_s' in {describe_rows(table, rows, said)}; leave all "
        "three empty "
        "to read them from the files"
    ]


def _totals(table: pd.DataFrame) -> list[str]:
    """Sessions of a known person with two totals of one questionnaire."""
    if "score" not in table or "scale" not in table:
        return []
    keys = ["subject_id", "session_id", "scale"]
    labeled = table[table["score"].notna() & (table["subject_id"] != UNKNOWN)]
    several = labeled.groupby(keys)["score"].transform("nunique") > 1
    problems = []
    for (person, session, scale), own in labeled[several].groupby(keys, sort=False):
        rows = own.index.tolist()
        problems.append(
            f"'score' has {own['score'].nunique()} totals of {scale} in session {session!r} of person "
            f"{person!r}: "
            f"{describe_rows(table, rows, own['score'].tolist())}; a questionnaire has one total a session: "
            "correct it, or name two sessions"
        )
    return _few(problems)


def _two_answers(table: pd.DataFrame) -> list[str]:
    """Sessions of a known person with two binary labels, or two answers to one item of a known scale."""
    known = table[table["subject_id"] != UNKNOWN]
    items = {name for scale in SUBSCALES.values() for name in scale.columns}
    problems = []
    for name in [name for name in map(str, table) if name == "binary" or name in items]:
        several = known.groupby(["subject_id", "session_id"])[name].transform("nunique") > 1
        if "scale" in table and name == "binary":  # of two questionnaires, each has its own
            several &= known.groupby(["subject_id", "session_id", "scale"])[name].transform("nunique") > 1
        rows = known.index[several & known[name].notna()].tolist()
        if rows:
            said = [f"{table['session_id'][row]}: {table[name][row]:g}" for row in rows]
            problems.append(
                f"'{name}' has two values in one session of a person: {describe_rows(table, rows, said)}; "
                "correct it, or name two sessions"
            )
    return _few(problems, "columns with two values in a session")


def _orders(table: pd.DataFrame) -> list[str]:
    """Sessions of a known person with several places in the order of visits, or that share one."""
    if "visit_order" not in table:
        return []
    known = table[table["visit_order"].notna() & (table["subject_id"] != UNKNOWN)]
    visits = known[["subject_id", "session_id", "visit_order"]].drop_duplicates()
    torn = visits.duplicated(["subject_id", "session_id"], keep=False)
    shared = visits.duplicated(["subject_id", "visit_order"], keep=False)
    problems = []
    for what, bad in (("has several values in one session", torn), ("is shared by sessions", shared)):
        rows = visits.index[bad & ~torn if what.startswith("is") else bad].tolist()
        if rows:
            said = [f"{table['session_id'][row]}: {table['visit_order'][row]:g}" for row in rows]
            problems.append(
                f"'visit_order' {what} of a person: {describe_rows(table, rows, said)}; number the visits of "
                "each person in time"
            )
    return problems


def _few(problems: Sequence[str], what: str = "sessions with several totals") -> list[str]:
    shown = list(problems[:5])
    return [*shown, f"{len(problems) - 5} more {what}"] if len(problems) > 5 else shown
