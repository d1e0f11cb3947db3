"""Reading shared by DAIC-WOZ and E-DAIC: participant numbers, label tables, one folder `XXX_P` each.

E-DAIC contains every participant of DAIC-WOZ, so the persons are `daic:XXX` in both.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from datamodules.manifests.scales import SCALES
from datamodules.sources.shared.download import Download
from datamodules.sources.shared.draft import Draft, SourceError
from datamodules.sources.shared.label_table import numbers, read_labels
from datamodules.sources.shared.phq8 import ITEMS, Items, complete_items

_PERSON = {"participant": ["Participant_ID"], "sex": ["Gender"]}
_LABELS = {"score": ["PHQ8_Score", "PHQ_Score"], "binary": ["PHQ8_Binary", "PHQ_Binary"]}
# DAIC-WOZ codes 0 = female, 1 = male: joined by participant, its 0 and 1 are E-DAIC's `female` and `male`
# without exception. Some public descriptions of the files state the reverse.
_SEXES = {"0": "F", "1": "M", "female": "F", "male": "M"}
_ARCHIVE = re.compile(r"(?P<key>\d{3})_P\.(?:zip|tar|tar\.gz|tgz)")
_SHOWN = 5  # participants named in a message


@dataclass(kw_only=True)
class Participant:
    """One line of a label table."""

    number: str
    split: str
    sex: str
    score: float | None
    binary: float | None
    items: Items = field(default_factory=dict)


def read_part(path: Path, *, split: str, scored: bool = True, itemized: bool = False) -> list[Participant]:
    """The participants of one part.

    Args:
        path: Label table with a header.
        split: Name of the part.
        scored: Whether score and binary label must be there; otherwise they are read if they are.
        itemized: Whether the eight items must be there.

    Raises:
        SourceError: No such file, a column is missing, or a cell is no participant, sex, number or label.
    """
    wanted = _PERSON | (_LABELS if scored else {}) | (dict(ITEMS) if itemized else {})
    table = read_labels(path, wanted, optional=_LABELS)
    columns = {
        name: numbers(table, name, path, empty=name in ITEMS or not scored)
        if name in table
        else [None] * len(table)
        for name in (*_LABELS, *ITEMS)
    }
    return [
        Participant(
            number=_number(number, path),
            split=split,
            sex=_sex(sex, number, path),
            score=columns["score"][row],
            binary=_label(columns["binary"][row], number, path),
            items={name: columns[name][row] for name in ITEMS} if itemized else {},
        )
        for row, (number, sex) in enumerate(zip(table["participant"], table["sex"], strict=True))
    ]


def _number(text: str, path: Path) -> str:
    if not re.fullmatch(r"\d{3}", text):
        raise SourceError(f"{path}: 'Participant_ID' is {text!r}, a participant has three digits; correct it")
    return text


def _sex(text: str, number: str, path: Path) -> str:
    if text.lower() not in _SEXES:
        raise SourceError(f"{path}: 'Gender' of participant {number} is {text!r}; known: {', '.join(_SEXES)}")
    return _SEXES[text.lower()]


def _label(value: float | None, number: str, path: Path) -> float | None:
    if value not in (None, 0, 1):
        raise SourceError(f"{path}: the binary label of participant {number} is {value:g}; it is 0 or 1")
    return value


def add_recordings(
    draft: Draft,
    persons: list[Participant],
    *,
    download: Download,
    series: re.Pattern[str],
    site: Callable[[str], str],
    rules: Mapping[str, str] = MappingProxyType({}),
    keep_binary: bool = False,
) -> None:
    """Join label lines and series files by participant; what has no counterpart is listed in the errata.

    Args:
        draft: What is added to.
        persons: Lines of all label tables.
        download: Where the series are.
        series: Names of series files; `key` is the participant.
        site: Value of the column `site` for a participant.
        rules: Name of the erratum for participants whose contradicting label is known.
        keep_binary: As in `agreed_labels`.

    Raises:
        SourceError: A participant is in the tables twice, or still packed in an archive.
    """
    files = download.matching(series)
    _refuse_repeated(persons)
    _refuse_packed(persons, files, download)
    for person in persons:
        if person.number not in files:
            draft.correct("missing_series", f"participant {person.number}", "no series file; left out")
            continue
        rule = rules.get(person.number, "binary_contradicts_score")
        labels = agreed_labels(person, draft, rule=rule, keep_binary=keep_binary)
        items = complete_items(person.items, person.score, number=person.number, draft=draft)
        draft.rows.append(
            {
                "recording_id": person.number,
                "subject_id": f"daic:{person.number}",
                "session_id": f"{person.number}_P",
                "task": "interview",
                "path": "",
                "series_path": str(files[person.number]),
                "split": person.split,
                "site": site(person.number),
                "sex": person.sex,
                "scale": "PHQ-8",
                **labels,
                **items,
            }
        )
    for number in sorted(set(files) - {person.number for person in persons}):
        draft.correct("unknown_person", f"participant {number}", "in no label table; left out")
    download.report(draft)


def agreed_labels(
    person: Participant, draft: Draft, *, rule: str, keep_binary: bool
) -> dict[str, float | None]:
    """The columns `score` and `binary`, of which one is empty; a contradiction is listed in the errata.

    Args:
        person: Whose published label contradicts the total where that says otherwise (PHQ-8 >= 10).
        draft: Where contradictions are listed.
        rule: Name of the erratum.
        keep_binary: Whether a contradicting total gives way to the label, and not the label to the total.
    """
    score, binary = person.score, person.binary
    if score is not None and binary is not None and SCALES["PHQ-8"].binary(score) != binary:
        change = f"binary {binary:g} -> {1 - binary:g} (score {score:g})"
        if keep_binary:
            change, score = f"score {score:g} -> empty (published binary {binary:g})", None
        draft.correct(rule, f"participant {person.number}", change)
    return {"score": score, "binary": None if score is not None else binary}


def _refuse_repeated(persons: list[Participant]) -> None:
    parts: dict[str, list[str]] = {}
    for person in persons:
        parts.setdefault(person.number, []).append(person.split)
    twice = [f"{number} ({', '.join(where)})" for number, where in parts.items() if len(where) > 1]
    if twice:
        raise SourceError(
            f"the label tables name a participant twice: {', '.join(twice[:_SHOWN])}; keep one line of each"
        )


def _refuse_packed(persons: list[Participant], files: Mapping[str, Path], download: Download) -> None:
    archives = download.matching(_ARCHIVE)
    packed = [person.number for person in persons if person.number in archives and person.number not in files]
    if packed:
        shown = ", ".join(archives[number].name for number in packed[:_SHOWN])
        raise SourceError(
            f"{download.root}: {len(packed)} participant(s) are still in their archives ({shown}); "
            "unpack each to its own folder"
        )
