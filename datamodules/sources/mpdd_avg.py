"""MPDD-AVG 2026: feature sets of interviews and gait of 110 young and 110 elderly people, with the PHQ-9.

Layout as the organisers' public pages state it in November 2026; not tried on the corpus: folders
`{trainval,test}/{Young,Elder}/{Audio,Video,IMU}`, and `split_labels_train.csv` with `ID, split, label2,
label3, PHQ-9`. Sets of the video are densenet and resnet (1000 values a row) and openface (710), of the gait
12 channels.

Not stated, and ours: where that table and inside `Video` and `IMU` the files lie (`labels=`, `pattern=`,
`imu_pattern=`), the rate of rows, how `label3` follows from the PHQ-9, and the columns of the table of
people.

Reported publicly: in the Young test part the files of all three sets of the video have 0 bytes, and some
OpenFace arrays of the Young trainval part are invalid. Such files are named, and never padded.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from datamodules.manifests.manifest import Manifest
from datamodules.manifests.scales import SCALES
from datamodules.sources.shared.corpus_folder import leave_out, open_corpus, table_below, visible
from datamodules.sources.shared.draft import Draft, SourceError
from datamodules.sources.shared.label_table import numbers, read_labels
from datamodules.sources.shared.named_sets import chosen_sets, column_of, is_ignored, refuse_unknown
from datamodules.sources.shared.people_table import read_people
from datamodules.sources.shared.set_widths import check_widths
from datamodules.wording import first_few, nearest

SCALE = "PHQ-9"
IMU = "imu"
AGE_GROUPS = ("Young", "Elder")
LabelRule = Literal["score", "published"]

_WIDTHS = {"densenet": 1000, "resnet": 1000, "openface": 710, IMU: 12}
_PARTS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val"}
_TEST = "test"
_COLUMNS = {name: [name] for name in ("ID", "split", "label2", "label3", "PHQ-9")}
_CLASSES = {"label2": 2, "label3": 3}

Files = dict[str, dict[str, str]]
"""ID -> set -> file, relative to the root."""


def read(
    *,
    root: str | Path,
    probe: bool = True,
    age_group: str | None = None,
    labels: str = "trainval/{age_group}/split_labels_train.csv",
    sets: Sequence[str] | None = None,
    pattern: str = "{set}/{id}.npy",
    imu_pattern: str = "{id}.npy",
    people: str | Path | None = None,
    fps: float | None = None,
    label_rule: LabelRule = "score",
    ignore: Sequence[str] = (),
) -> Manifest:
    """One recording a person, a column `features_<set>` a set, PHQ-9, `binary`, and `category_tri` (label3).

    Args:
        root: Folder with `trainval` and `test`, or one that holds it.
        probe: As in `read_manifest`; every file that is named is also read once, and a faulty one is named.
        age_group: Young or Elder; None reads both.
        labels: Where the table of an age group lies below the root.
        sets: Of the video by name, and `imu`; None reads all that are there.
        pattern: Where below `Video` the file of a set and person lies.
        imu_pattern: Where below `IMU` the file of a person lies.
        people: Table below the root with `ID` and any of `trait_O` to `trait_N`, `age`, `sex` (F or M),
            `diseases`.
        fps: Rows per second of all sets that are read, which clips of more than one row need. The pages state
            none; sets of different rates are read one by one, or as `.npz` with times of their own.
        label_rule: `score` takes the PHQ-9, and `binary` is total >= 10; `published` keeps `label2` and
            leaves the total out where it contradicts. Either way all who differ are listed.
        ignore: Patterns of files and folders below the root that are left out.

    Raises:
        SourceError: No table, other columns or labels, files that the patterns do not fit, a set of another
            width than the pages state, or unknown options.
        ManifestError: Rows that contradict each other.
    """
    if label_rule not in get_args(LabelRule):
        raise SourceError(f"label_rule={label_rule!r}; choose {' or '.join(get_args(LabelRule))}")
    if age_group not in (None, *AGE_GROUPS):
        hint = nearest(str(age_group), AGE_GROUPS)
        raise SourceError(f"age_group={age_group!r}{hint}; choose {' or '.join(AGE_GROUPS)}")
    draft = open_corpus(root, name="mpdd_avg", marks=["trainval", _TEST])
    found: dict[tuple[str, str], Files] = {}
    for own in AGE_GROUPS if age_group is None else (age_group,):
        for part in ("trainval", _TEST):
            folder = draft.root / part / own
            if folder.is_dir():
                found[part, own] = _files(draft, folder, {"Video": pattern, "IMU": imu_pattern}, ignore)
    names = chosen_sets(
        (name for files in found.values() for own in files.values() for name in own), sets, where=draft.root
    )
    persons = {} if people is None else read_people(table_below(draft.root, people, option="people"))
    for (part, own), files in found.items():
        known = _labels(draft, labels, own, label_rule) if part == "trainval" else {}
        rows = _rows(draft, own, part, files, known, names, persons)
        draft.rows += rows if fps is None else [{**row, "fps": fps} for row in rows]
    _note(draft, names)
    if fps is not None:
        draft.notes.append(f"{fps:g} rows per second are taken for all sets: the pages state no rate")
    if probe:
        widths = {column_of(name): _WIDTHS[name] for name in names if name in _WIDTHS}
        check_widths(draft, widths)
    return draft.manifest(probe=probe)


def _rows(
    draft: Draft,
    age_group: str,
    part: str,
    files: Files,
    labels: Mapping[str, dict[str, Any]],
    names: Sequence[str],
    persons: Mapping[str, dict[str, Any]],
) -> list[dict[str, Any]]:
    where = f"{part}/{age_group}"
    if part == "trainval":
        leave_out(
            draft, "missing_file", sorted(labels.keys() - files.keys()), f"labelled, no file in {where}"
        )
        leave_out(draft, "missing_label", sorted(files.keys() - labels.keys()), f"in {where}, not labelled")
        files = {number: own for number, own in files.items() if number in labels}
    rows = []
    for number, own in sorted(files.items()):
        present = {column_of(name): own.get(name, "") for name in names}
        if not any(present.values()):
            if part == _TEST:
                raise SourceError(
                    f"{draft.root / where}: {number} has no file of {', '.join(names)}, and nobody who is "
                    f"tested is left out; choose other sets=[...] (it has {', '.join(own)})"
                )
            leave_out(draft, "missing_set", [f"{where} {number}"], f"no file of {', '.join(names)}")
            continue
        rows.append(
            {
                "recording_id": f"mpdd_avg_{age_group.lower()}_{number}",
                "subject_id": f"mpdd_avg:{age_group.lower()}_{number}",
                "session_id": "1",
                "path": "",
                "site": age_group,
                "split": _TEST,
                **present,
                **labels.get(number, {}),
                **persons.get(number, {}),
            }
        )
    return rows


def _files(draft: Draft, folder: Path, patterns: Mapping[str, str], ignore: Sequence[str]) -> Files:
    """Files of the video and the gait below the folder of an age group by ID and set.

    Raises:
        SourceError: A file that the patterns do not fit, or two of one set and ID.
    """
    found: Files = {}
    unknown: list[Path] = []
    for kind, pattern in patterns.items():
        form = _form(pattern, gait=kind == "IMU")
        for path in visible(folder / kind, "**/*"):
            if path.is_dir() or is_ignored(path, draft.root, ignore):
                continue
            match = form.fullmatch(path.relative_to(folder / kind).as_posix())
            if match is None:
                unknown.append(path)
                continue
            name = match.groupdict().get("set", IMU)
            relative = path.relative_to(draft.root).as_posix()
            if (other := found.setdefault(match["id"], {}).setdefault(name, relative)) != relative:
                raise SourceError(f"{draft.root}: {relative} and {other} are one set of one ID; keep one")
    listed = ", ".join(f"{kind}/{pattern}" for kind, pattern in patterns.items())
    known = f"files are taken from {listed}; say where they lie with pattern= and imu_pattern="
    refuse_unknown(unknown, root=draft.root, known=known)
    return found


def _form(pattern: str, *, gait: bool) -> re.Pattern[str]:
    """The paths that a pattern stands for."""
    fields = ("{id}",) if gait else ("{set}", "{id}")
    if any(pattern.count(field) != 1 for field in fields):
        raise SourceError(
            f"pattern {pattern!r}: name each of {' and '.join(fields)} once, as in a/{{id}}.npy"
        )
    text = re.escape(pattern)
    for field in fields:
        text = text.replace(re.escape(field), f"(?P<{field[1:-1]}>[^/]+)")
    return re.compile(text)


def _labels(draft: Draft, place: str, age_group: str, rule: LabelRule) -> dict[str, dict[str, Any]]:
    """Part and labels of everybody in the table of an age group."""
    path = table_below(draft.root, place.replace("{age_group}", age_group), option="labels")
    if not path.is_file():
        others = [one.relative_to(draft.root).as_posix() for one in visible(draft.root, f"**/{path.name}")]
        hint = f"; there is {first_few(others)}: say labels={others[0]}" if others else ""
        raise SourceError(f"{path}: no such label table{hint}; the pages do not state where it lies")
    draft.table = path
    table = read_labels(path, _COLUMNS)
    if strange := [str(name) for name in table if name not in _COLUMNS]:
        raise SourceError(
            f"{path}: the columns {first_few(strange)} are not stated ({', '.join(_COLUMNS)}); give a copy "
            "of the table without them, facts of persons as people=<csv>"
        )
    totals = numbers(table, "PHQ-9", path, empty=True)
    found: dict[str, dict[str, Any]] = {}
    for row, cells in enumerate(table.to_dict("records")):
        number, part = cells["ID"], cells["split"].lower()
        if not number or number in found:
            raise SourceError(f"{path}: ID {number!r} in line {row + 2} is empty or comes twice; correct it")
        if part not in _PARTS:
            raise SourceError(
                f"{path}: 'split' of {number} is {cells['split']!r}; known are {', '.join(_PARTS)}"
            )
        classes = {name: _class(cells[name], name, number, path) for name in _CLASSES}
        binary = _binary(draft, rule, f"{age_group} {number}", totals[row], classes["label2"])
        found[number] = {"split": _PARTS[part], **binary, "category_tri": classes["label3"]}
    return found


def _class(cell: str, name: str, number: str, path: Path) -> int | None:
    if cell in ("", *map(str, range(_CLASSES[name]))):
        return int(cell) if cell else None
    raise SourceError(f"{path}: '{name}' of {number} is {cell!r}, not 0 to {_CLASSES[name] - 1}; correct it")


def _binary(
    draft: Draft, rule: LabelRule, who: str, total: float | None, label: int | None
) -> dict[str, Any]:
    contrary = total is not None and label is not None and SCALES[SCALE].binary(total) != label
    if contrary:
        kept = f"binary {1 - int(label or 0)}" if rule == "score" else f"binary {label}, no total"
        draft.correct("label2_against_phq9", who, f"PHQ-9 {total:g}, label2 {label} -> {kept}")
    score = None if contrary and rule == "published" else total
    return {
        "scale": SCALE,
        "score": score,
        "binary": None if rule == "score" and total is not None else label,
    }


def _note(draft: Draft, names: Sequence[str]) -> None:
    for name in names:
        lacking = [row["recording_id"] for row in draft.rows if not row[column_of(name)]]
        if lacking:
            draft.correct("missing_set", first_few(lacking), f"{len(lacking)} recording(s) without {name}")
    if any(row["split"] == _TEST for row in draft.rows):
        draft.notes.append("'test' has no labels: they are with the organisers")
    if unstated := [name for name in names if name not in _WIDTHS]:
        draft.notes.append(f"widths that the pages do not state are taken as they are: {', '.join(unstated)}")
    if visible(draft.root, "*/*/Audio/**/*"):
        draft.notes.append("Audio is left out, as faces are recognised here")
