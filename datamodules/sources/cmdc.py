"""CMDC (Zou et al. 2023): OpenFace tables of Chinese interviews, twelve questions a person, with PHQ-9 items.

Layout: `SubjectInfo.xlsx` (or `.csv`) with `ID`, `MDD`, `PHQ-1` to `PHQ-9` and perhaps `PHQtotal`, and
`<ID>/Q<n>.csv`, n from 1 to 12. Only some persons have video. A diagnosis need not agree with a
questionnaire.
"""

from pathlib import Path
from typing import Any, Literal

import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.manifests.scales import SCALES
from datamodules.sources.shared.corpus_folder import leave_out, open_corpus, visible
from datamodules.sources.shared.draft import Draft, SourceError
from datamodules.sources.shared.label_table import coded, numbers, read_labels

SCALE = "PHQ-9"
_TABLES = ("SubjectInfo.xlsx", "SubjectInfo.csv")
_ITEMS = tuple(f"PHQ-{number}" for number in range(1, 10))
_COLUMNS = {name: [name] for name in ("ID", "MDD", *_ITEMS)}
_DIAGNOSIS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1}
_QUESTIONS = tuple(f"Q{number}" for number in range(1, 13))

LabelRule = Literal["score", "diagnosis"]


def read(*, root: str | Path, probe: bool = True, label_rule: LabelRule = "score") -> Manifest:
    """One recording a question, labeled by the PHQ-9 of the person, whose items are kept.

    Args:
        root: Folder with `SubjectInfo`, or one that holds such a folder (`extracted`).
        probe: As in `read_manifest`.
        label_rule: `score` takes the PHQ-9 total, and `binary` is total >= 10. `diagnosis` takes `MDD` as
            `binary` and leaves the total out where it contradicts. Either way all who differ are listed.

    Raises:
        SourceError: No label table, a missing column, an item that is not 0 to 3, or another diagnosis.
        ManifestError: An id that comes twice.
        ValueError: Another label rule.
    """
    if label_rule not in ("score", "diagnosis"):
        raise ValueError(f"label_rule={label_rule!r}; choose 'score' or 'diagnosis'")
    draft = open_corpus(root, name="cmdc", marks=_TABLES)
    persons = _persons(draft, label_rule)
    silent = []
    for person, labels in persons.items():
        files = [draft.root / person / f"{question}.csv" for question in _QUESTIONS]
        found = [file for file in files if file.is_file()]
        draft.rows += [_row(person, file, labels) for file in found]
        if not found:
            silent.append(person)
    leave_out(draft, "no_video", silent, "no OpenFace table of any question")
    _note_others(draft, persons)
    return draft.manifest(probe=probe)


def _row(person: str, file: Path, labels: dict[str, Any]) -> dict[str, Any]:
    return {
        "recording_id": f"cmdc_{person}_{file.stem}",
        "subject_id": f"cmdc:{person}",
        "session_id": "1",
        "task": file.stem,
        "path": "",
        "series_path": f"{person}/{file.name}",
        **labels,
    }


def _persons(draft: Draft, rule: LabelRule) -> dict[str, dict[str, Any]]:
    """Labels of everyone in the table."""
    path = next(draft.root / name for name in _TABLES if (draft.root / name).is_file())
    table = read_labels(path, _COLUMNS)
    diagnoses = coded(table, "MDD", _DIAGNOSIS, path)
    items = {name: numbers(table, name, path, empty=True) for name in _ITEMS}
    _check(table, items, path)
    stated = _stated(table, path)
    persons: dict[str, dict[str, Any]] = {}
    for row, (person, diagnosis) in enumerate(zip(table["ID"].tolist(), diagnoses, strict=True)):
        if not person or person in persons:
            raise SourceError(f"{path}: ID {person!r} in line {row + 2} is empty or comes twice; correct it")
        answers = [items[name][row] for name in _ITEMS]
        total = _total(draft, person, answers, stated[row])
        persons[person] = {
            **{f"item_phq9_{number}": answer for number, answer in enumerate(answers, start=1)},
            **_labels(draft, rule, person, total, diagnosis),
        }
    return persons


def _stated(table: pd.DataFrame, path: Path) -> list[float | None]:
    column = next((str(name) for name in table.columns if str(name).lower() == "phqtotal"), None)
    return [None] * len(table) if column is None else numbers(table, column, path, empty=True)


def _total(draft: Draft, person: str, answers: list[float | None], stated: float | None) -> float | None:
    """The sum of the items; the stated total only where items are missing."""
    given = [answer for answer in answers if answer is not None]
    if len(given) < len(answers):
        instead = "no total" if stated is None else f"PHQtotal {stated:g} is taken"
        draft.correct("phq9_incomplete", f"person {person}", f"{len(given)} of 9 items, hence {instead}")
        return stated
    if stated is not None and stated != sum(given):
        draft.correct(
            "phq9_total", f"person {person}", f"PHQtotal {stated:g} -> sum of the items {sum(given):g}"
        )
    return sum(given)


def _labels(
    draft: Draft, rule: LabelRule, person: str, total: float | None, diagnosis: int
) -> dict[str, Any]:
    contrary = total is not None and SCALES[SCALE].binary(total) != diagnosis
    if contrary:
        kept = f"binary {1 - diagnosis}" if rule == "score" else f"binary {diagnosis}, no total"
        draft.correct(
            "phq9_against_diagnosis", f"person {person}", f"total {total:g}, MDD {diagnosis} -> {kept}"
        )
    score = None if rule == "diagnosis" and contrary else total
    binary = diagnosis if rule == "diagnosis" else None
    return {"scale": SCALE, "score": score, "binary": binary}


def _check(table: pd.DataFrame, items: dict[str, list[float | None]], path: Path) -> None:
    for name, answers in items.items():
        for person, answer in zip(table["ID"], answers, strict=True):
            if answer is not None and answer not in (0, 1, 2, 3):
                raise SourceError(
                    f"{path}: '{name}' of {person} is {answer:g}; items of the PHQ-9 are 0, 1, 2 or 3"
                )


def _note_others(draft: Draft, persons: dict[str, dict[str, Any]]) -> None:
    tables = visible(draft.root, "*/*.csv")
    strangers = {file.parent.name for file in tables if file.parent.name not in persons}
    leave_out(draft, "unknown_person", sorted(strangers), "a folder, but no line in SubjectInfo")
    others = [
        f"{file.parent.name}/{file.name}"
        for file in tables
        if file.parent.name in persons and file.stem not in _QUESTIONS
    ]
    leave_out(draft, "extra_file", others, f"no question {_QUESTIONS[0]} to {_QUESTIONS[-1]}")
