"""AdoDAS 2026: feature sets of pupils in four tasks of one visit, with the 21 answers of the DASS-21.

Layout as the organisers' public pages state it in November 2026; not tried on the corpus:
`split/school/class/person/{audio,video}/set[/tag]/session/{sequence.npz, pooled.*}`. The four sessions are
four tasks of one visit with one questionnaire (a reading passage, three memories), hence `task` here and one
`session_id`. The columns `school` and `class` (as `school:class`) are groups that a protocol can keep
together.

Not stated, and ours: the names of the folders of splits, sets and tasks; the name of the label table; whether
numbers of persons repeat between classes (a person is school, class and number); from which total on a
subscale is positive (`binary` is every total above the normal band).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datamodules.manifests.made_up import MARK
from datamodules.manifests.manifest import Manifest
from datamodules.sources.shared.answers import read_answers
from datamodules.sources.shared.corpus_folder import leave_out, open_corpus, table_below
from datamodules.sources.shared.download import is_hidden
from datamodules.sources.shared.draft import Draft, SourceError
from datamodules.sources.shared.named_sets import chosen_sets, column_of, is_ignored, refuse_unknown
from datamodules.sources.shared.set_widths import check_widths, known_width
from datamodules.wording import first_few

SESSION = "1"  # of everybody: one visit, one questionnaire
TASKS = 4
FORMS = ("sequence", "pooled")
_PARTS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val", "test": "test"}
_POOLED = (".npy", ".npz")
_KNOWN = (
    "known are split/school/class/person/{audio,video}/set[/tag]/session/ with sequence.npz and pooled.*, "
    "and the label table"
)
_KEYS = ("anon_school", "anon_class", "anon_pid")

Person = tuple[str, str, str]


@dataclass(frozen=True)
class _File:
    """A file of a set: whose, in which part and task."""

    part: str
    person: Person
    task: str
    set: str
    path: str


def read(
    *,
    root: str | Path,
    probe: bool = True,
    labels: str | Path = "labels.csv",
    scale: str = "DASS-21-D",
    sets: Sequence[str] | None = None,
    form: str = "sequence",
    ignore: Sequence[str] = (),
) -> Manifest:
    """One recording a person and task, a column `features_<set>` a set, all 21 answers and one total.

    Args:
        root: Folder with `train`, `val` and `test`, or one that holds it.
        probe: As in `read_manifest`; every file that is named is also read once, and a faulty one is named.
        labels: Table below the root with `anon_school, anon_class, anon_pid, d01..d21`. Persons of the test
            part need no line in it.
        scale: Whose total is the score: DASS-21-D, DASS-21-A or DASS-21-S.
        sets: Sets below `video` by name, as in `[dinov2/small, head_pose]`; None reads all. `audio` is left
            out, as faces are recognised here.
        form: `sequence` (sequence.npz) or `pooled` (one row a task).
        ignore: Patterns of files and folders below the root that are left out, such as `README*`.

    Raises:
        SourceError: Files or columns that the pages do not state, a label table with impossible answers, a
            set that is not there, a set of another width than the pages state, or unknown options.
        ManifestError: Rows that contradict each other.
    """
    if form not in FORMS:
        raise SourceError(f"form={form!r} is unknown; choose {' or '.join(FORMS)}")
    draft = open_corpus(root, name="adodas", marks=list(_PARTS))
    table = table_below(draft.root, labels, option="labels")
    files = _files(draft, form, ignore=ignore, table=table)
    names = chosen_sets((file.set for file in files), sets, where=draft.root)
    widths = {name: width for name in names if (width := known_width(name)) is not None}
    answers = _answers(draft, table, scale)
    draft.rows += _rows([file for file in files if file.set in names], names, answers)
    _note(draft, answers, names, widths)
    if probe:
        check_widths(draft, {column_of(name): width for name, width in widths.items()})
    return draft.manifest(probe=probe)


def _rows(
    files: Sequence[_File], names: Sequence[str], answers: Mapping[Person, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Rows of all recordings in the order of their persons; a set that one of them lacks is an empty cell."""
    rows: dict[tuple[str, Person, str], dict[str, Any]] = {}
    for file in files:
        school, room, _ = file.person
        row = rows.setdefault(
            (file.part, file.person, file.task),
            {
                "recording_id": "_".join(("adodas", *file.person, file.task)),
                "subject_id": ":".join(("adodas", *file.person)),
                "session_id": SESSION,
                "task": file.task,
                "path": "",
                "split": file.part,
                "school": school,
                "class": f"{school}:{room}",
                **{column_of(name): "" for name in names},
                **answers.get(file.person, {}),
            },
        )
        if other := row[column_of(file.set)]:
            raise SourceError(f"{file.path} and {other} are one recording and set; keep one, or see ignore=")
        row[column_of(file.set)] = file.path
    return [rows[key] for key in sorted(rows)]


def _files(draft: Draft, form: str, *, ignore: Sequence[str], table: Path) -> list[_File]:
    """Every file of that form below `video`, with paths from the root on.

    Raises:
        SourceError: Files or folders that the layout does not have.
    """
    found: list[_File] = []
    unknown: list[Path] = []
    audio = 0
    for path in _visible(draft.root, ignore):
        parts = path.relative_to(draft.root).parts
        if path == table or path == draft.root / MARK:
            continue
        if not _fits(parts):
            unknown.append(path)
        elif parts[4] == "audio":
            audio += 1
        elif path.stem == form:
            part, school, room, number = parts[:4]
            inner = "/".join(parts[5:-2])
            person = (school, room, number)
            found.append(_File(_PARTS[part.lower()], person, parts[-2], inner, "/".join(parts)))
    refuse_unknown(unknown, root=draft.root, known=_KNOWN)
    if colons := sorted({name for file in found for name in file.person if ":" in name}):
        raise SourceError(
            f"{draft.root}: {first_few(colons)}: ':' separates school, class and person; rename"
        )
    if audio:
        draft.notes.append(f"audio: {audio} file(s) left out, as faces are recognised here")
    return found


def _fits(parts: Sequence[str]) -> bool:
    """Whether the parts of a path are those of the layout, from the split to the name of the file."""
    name = Path(parts[-1])
    return (
        len(parts) in (8, 9)
        and parts[0].lower() in _PARTS
        and parts[4] in ("audio", "video")
        and (parts[-1] == "sequence.npz" or (name.stem == "pooled" and name.suffix in _POOLED))
    )


def _visible(root: Path, ignore: Sequence[str]) -> list[Path]:
    """Files below the root without hidden and ignored ones, in the order of their names."""
    return [
        path
        for path in sorted(root.rglob("*"))
        if not path.is_dir() and not is_hidden(path, root) and not is_ignored(path, root, ignore)
    ]


def _answers(draft: Draft, table: Path, scale: str) -> dict[Person, dict[str, Any]]:
    """Labels by school, class and number; none where there is no table."""
    if not table.is_file():
        draft.notes.append(
            f"no labels: {table} is not there; copy it there or say labels= ({', '.join(_KEYS)}, d01 to d21)"
        )
        return {}
    draft.table = table
    found = read_answers(table, keys=_KEYS, scale=scale)
    return {(key[0], key[1], key[2]): labels for key, labels in found.items()}


def _note(
    draft: Draft, answers: Mapping[Person, dict[str, Any]], names: Sequence[str], widths: Mapping[str, int]
) -> None:
    """List who has no label or no recording, which sets are incomplete, and what the pages do not state."""
    persons = {tuple(str(row["subject_id"]).split(":")[1:]): row["split"] for row in draft.rows}
    if answers and not persons.keys() & answers.keys():
        raise SourceError(
            f"{draft.table}: no person of it is in {draft.root}, e.g. {'/'.join(next(iter(answers)))} in the "
            f"table and {'/'.join(next(iter(persons)))} in the folders; names must be equal letter by letter"
        )
    gone = ["/".join(person) for person in answers if person not in persons]
    leave_out(draft, "missing_recording", gone, "labelled, but there is no such folder")
    for part in dict.fromkeys(persons.values()):
        bare = ["/".join(one) for one, own in persons.items() if own == part and one not in answers]
        if bare and answers:
            draft.notes.append(f"'{part}': {len(bare)} person(s) have no label: {first_few(bare)}")
    _note_numbers(draft, list(persons))
    for name in names:
        lacking = [row["recording_id"] for row in draft.rows if not row[column_of(name)]]
        if lacking:
            draft.correct("missing_set", first_few(lacking), f"{len(lacking)} recording(s) without {name}")
    if unstated := [name for name in names if name not in widths]:
        draft.notes.append(f"widths that the pages do not state are taken as they are: {', '.join(unstated)}")
    tasks = {row["task"] for row in draft.rows}
    if len(tasks) != TASKS:
        draft.notes.append(f"{len(tasks)} task(s) ({first_few(sorted(tasks))}); the pages state {TASKS}")


def _note_numbers(draft: Draft, persons: Sequence[tuple[str, ...]]) -> None:
    """Tell numbers of persons that come in several classes: nobody states whether these are one person."""
    rooms: dict[str, set[tuple[str, ...]]] = {}
    for *room, number in persons:
        rooms.setdefault(number, set()).add(tuple(room))
    if several := [number for number, own in rooms.items() if len(own) > 1]:
        draft.notes.append(
            f"{len(several)} number(s) of persons come in several classes ({first_few(several)}): taken for "
            "different persons, as the pages do not state whether they are one"
        )
