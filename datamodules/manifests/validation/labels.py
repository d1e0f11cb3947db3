"""Validation of labels: impossible or contradicting scores, binary labels and questionnaire items."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datamodules.manifests.columns import describe_rows
from datamodules.manifests.questionnaires import ITEMS, SUBSCALES
from datamodules.manifests.scales import SCALES
from datamodules.schema import UNKNOWN
from datamodules.wording import nearest

_EITHER = "correct the one or the other, or clear what is not certain"
_SHOWN = 5  # sessions or columns named


def check_labels(table: pd.DataFrame) -> Iterator[str]:
    """Report faults of scale, score and binary label of a parsed table, row by row."""
    scales = table.get("scale", pd.Series("", index=table.index))
    score = table.get("score", pd.Series(np.nan, index=table.index))
    for scale in sorted(set(scales) - {"", *SCALES}):
        yield (
            f"unknown scale {scale!r} in {describe_rows(table, scales == scale)}{nearest(scale, SCALES)}"
            f" (known: {', '.join(SCALES)})"
        )
    if where := describe_rows(table, score.notna() & (scales == "")):
        yield f"'score' without 'scale' in {where}; name the questionnaire"
    yield from _scores(table, scales, score)
    if "binary" in table:
        yield from _binary(table, scales, score)


def _scores(table: pd.DataFrame, scales: pd.Series, score: pd.Series) -> Iterator[str]:
    faults: dict[str, list[int]] = {}
    told: dict[tuple[str, float], str] = {}  # few totals differ
    for row, pair in enumerate(zip(scales.tolist(), score.tolist(), strict=True)):
        if pair not in told:
            told[pair] = _score_fault(*pair)
        if told[pair]:
            faults.setdefault(told[pair], []).append(row)
    for what, rows in faults.items():
        yield f"'score' {what}: {describe_rows(table, rows, score)}"


def _score_fault(name: str, total: float) -> str:
    """What is wrong with a total; its value is named with its row, and the rest groups equal faults."""
    if name in SCALES and not np.isnan(total):
        try:
            SCALES[name].check(total)
        except ValueError as fault:
            return str(fault).split(" ", 1)[1]
    return ""


def _binary(table: pd.DataFrame, scales: pd.Series, score: pd.Series) -> Iterator[str]:
    binary = table["binary"]
    if where := describe_rows(table, binary.notna() & ~binary.isin([0, 1]), binary):
        yield f"'binary' must be 0 or 1: {where}"
    cells = zip(scales.tolist(), score.tolist(), binary.tolist(), strict=True)
    contrary = [
        row
        for row, (name, total, label) in enumerate(cells)
        if name in SCALES and total == total and label in (0, 1) and SCALES[name].binary(total) != label
    ]
    if contrary:
        rules = ", ".join(f"{n} >= {SCALES[n].binary_threshold}" for n in sorted(set(scales.iloc[contrary])))
        yield (
            f"'binary' contradicts the score (rule: {rules}) in {describe_rows(table, contrary, score)}; "
            "drop the column to derive it"
        )


def check_sums(table: pd.DataFrame) -> Iterator[str]:
    """Questionnaires whose items do not add up to the stated total, whatever the unanswered ones were."""
    for name in sorted(set(table.get("scale", ())) & set(SUBSCALES)) if "score" in table else ():
        items = SUBSCALES[name].within(table)
        if not set(items.columns) & set(table):
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
            said = {row: _sum_said(score[row], least[row], most[row]) for row in rows}
            yield (
                f"'score' is not the sum of the items of {name} in {describe_rows(table, rows, said)}; "
                + ("the items are coded from 1: subtract 1" if coded else _EITHER)
            )


def _sum_said(score: float, least: float, most: float) -> str:
    return f"{score:g}, items {least:g}" + ("" if least == most else f" to {most:g}")


def check_sessions(table: pd.DataFrame) -> list[str]:
    """Sessions of a known person with two totals of one questionnaire, or two answers to one question."""
    known = table[table["subject_id"] != UNKNOWN]
    return [
        *_few([*_two_totals(known, table)], "sessions with several totals"),
        *_few([*_two_answers(known, table)], "columns with two values in a session"),
    ]


def _two_totals(known: pd.DataFrame, table: pd.DataFrame) -> Iterator[str]:
    if "score" not in table or "scale" not in table:
        return
    keys = ["subject_id", "session_id", "scale"]
    labeled = known[known["score"].notna()]
    several = labeled.groupby(keys)["score"].transform("nunique") > 1
    for (person, session, scale), own in labeled[several].groupby(keys, sort=False):
        yield (
            f"'score' has {own['score'].nunique()} totals of {scale} in session {session!r} of person "
            f"{person!r}: {describe_rows(table, own.index.tolist(), table['score'])}; a questionnaire has "
            "one total a session: correct it, or name two sessions"
        )


def _two_answers(known: pd.DataFrame, table: pd.DataFrame) -> Iterator[str]:
    names = [name for name in map(str, table) if name == "binary" or name in ITEMS]
    differ = _differ(known, ["subject_id", "session_id"], names)
    if "scale" in table and "binary" in names:  # of two questionnaires, each has its own
        differ["binary"] &= _differ(known, ["subject_id", "session_id", "scale"], ["binary"])["binary"]
    for name in names:
        rows = known.index[differ[name] & known[name].notna()].tolist()
        if rows:
            said = {row: f"{table['session_id'][row]}: {table[name][row]:g}" for row in rows}
            yield (
                f"'{name}' has two values in one session of a person: {describe_rows(table, rows, said)}; "
                "correct it, or name two sessions"
            )


def _differ(known: pd.DataFrame, keys: list[str], names: list[str]) -> pd.DataFrame:
    """Whether the values of each column differ within the group of a row."""
    groups = known.groupby(keys)[names]
    return groups.transform("max") > groups.transform("min")


def _few(problems: list[str], what: str) -> list[str]:
    rest = len(problems) - _SHOWN
    return [*problems[:_SHOWN], f"{rest} more {what}"] if rest > 0 else problems
