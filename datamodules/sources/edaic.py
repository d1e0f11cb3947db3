"""E-DAIC with parts and labels of AVEC2019 (Ringeval et al. 2019): face features of 275 interviews, PHQ-8.

Published: archives `XXX_P.tar.gz` with `features/XXX_OpenFace2.1.0_Pose_gaze_AUs.csv`, and a folder `labels/`
with `{train,dev,test}_split.csv` and `Detailed_PHQ8_Labels.csv` (items, train and dev only).
"""

import re
from pathlib import Path
from typing import Literal, get_args

from datamodules.manifests.manifest import Manifest
from datamodules.sources.shared.daic import Participant, add_recordings, read_part
from datamodules.sources.shared.download import Download
from datamodules.sources.shared.draft import Draft, SourceError
from datamodules.sources.shared.label_table import numbers, read_labels
from datamodules.sources.shared.phq8 import ITEMS
from datamodules.wording import nearest

LabelRule = Literal["score", "published"]

_SERIES = re.compile(r"(?P<key>\d{3})_OpenFace2\.1\.0_Pose_gaze_AUs\.csv", re.IGNORECASE)
_FIRST_AI = 600  # numbers from here on were interviewed by a program, those below by a hidden person
_ITEM_TABLE = "Detailed_PHQ8_Labels.csv"


def read(*, root: str | Path, probe: bool = True, label_rule: LabelRule = "score") -> Manifest:
    """The manifest: one recording a participant `daic:XXX`, parts train, dev and test, PHQ-8 and its items.

    Args:
        root: Folder that holds label tables and unpacked archives, at any depth.
        probe: As in `read_manifest`.
        label_rule: The published binary label of some participants contradicts their total (PHQ-8 >= 10).
            `score` derives all labels from the totals; `published` keeps the labels and leaves the
            contradicting totals empty. Both list whom it concerns.

    Raises:
        SourceError: A label table is missing or another one, an archive was not unpacked, or an unknown rule.
        ManifestError: A score outside the PHQ-8.
    """
    known = get_args(LabelRule)
    if label_rule not in known:
        hint = nearest(label_rule, known)
        raise SourceError(f"label_rule={label_rule!r} is unknown{hint} (known: {', '.join(known)})")
    download = Download.below(root)
    draft = Draft(name="edaic", root=download.root)
    persons = [
        *read_part(download.required("train_split.csv"), split="train"),
        *read_part(download.required("dev_split.csv"), split="dev"),
        *_test_part(download, draft),
    ]
    _add_items(persons, download, draft)
    add_recordings(
        draft,
        persons,
        download=download,
        series=_SERIES,
        site=lambda number: "ai" if int(number) >= _FIRST_AI else "woz",
        keep_binary=label_rule == "published",
    )
    draft.notes += [
        f"binary labels by label_rule={label_rule}",
        "participants below 500 are those of DAIC-WOZ, many in other parts: neither trains for the other's "
        "test",
        "frame rates differ between participants: use the times of the files",
    ]
    return draft.manifest(probe=probe)


def _test_part(download: Download, draft: Draft) -> list[Participant]:
    path = download.named("test_split.csv")
    if path is None:
        draft.notes.append("no test_split.csv: who is tested was withheld")
        return []
    persons = read_part(path, split="test", scored=False)
    if all(person.score is None for person in persons):
        draft.notes.append("'test' has no labels: they were withheld")
    return persons


def _add_items(persons: list[Participant], download: Download, draft: Draft) -> None:
    path = download.named(_ITEM_TABLE)
    if path is None:
        draft.notes.append(f"no items: {_ITEM_TABLE} is not there")
        return
    table = read_labels(path, {"participant": ["Participant_ID"], **ITEMS})
    answers = {name: numbers(table, name, path, empty=True) for name in ITEMS}
    lines = {number: row for row, number in enumerate(table["participant"])}
    if len(lines) < len(table):
        raise SourceError(f"{path}: a participant has two lines; keep one")
    for person in persons:
        row = lines.pop(person.number, None)
        if row is not None:
            person.items = {name: answers[name][row] for name in ITEMS}
    for number in lines:
        draft.correct("items_without_label", f"participant {number}", f"in {_ITEM_TABLE} only; not used")
