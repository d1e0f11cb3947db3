"""Defects of the files of a corpus, each with what it alone would score."""

from pathlib import Path

import pandas as pd

from datamodules.manifests.columns import file_columns
from datamodules.manifests.identity import person_codes
from datamodules.manifests.manifest import Manifest
from datamodules.xray.dead_channels import dead_channels
from datamodules.xray.defect import Defect
from datamodules.xray.repeats import persons_of, repeated
from datamodules.xray.stillness import constant, frozen
from datamodules.xray.survey import Survey, arrays_of, empty_files, relative
from datamodules.xray.time_base import time_base
from datamodules.xray.two_persons import two_persons
from engine.xray.alarm import Alarm, XRay
from engine.xray.target import Target


def content_alarms(
    answer: XRay,
    found: Survey,
    target: Target,
    *,
    table: pd.DataFrame | None,
    root: Path,
    manifest: Manifest | None,
    below: bool,
) -> None:
    """Add the alarms of the files to an answer, and how many things were looked at.

    Args:
        answer: What is added to.
        found: What the pass over the files found.
        target: The label.
        table: The rows; None where there is no table.
        root: Folder of the paths.
        manifest: Of the videos; None where the table was refused.
        below: Whether all files below the root are the corpus.
    """
    rows = pd.DataFrame({"recording_id": [], "subject_id": []}, dtype=object) if table is None else table
    empty, looked = _empty(rows, root, below=below)
    faces, with_face = two_persons(found)
    clocks, timed = time_base(found, rows)
    persons = persons_of(rows, person_codes(rows)) if len(rows) else {}
    defects = [
        *empty, *constant(found), *dead_channels(found, rows), *frozen(found),
        *repeated(found, persons, manifest), *faces, *clocks
    ]  # fmt: skip
    arrays = len(found.measured)
    answer.looked |= {
        "zero_bytes": looked, "constant": arrays, "frozen": arrays, "repeated": arrays,
        "two_persons": with_face, "time_base": timed,
    }  # fmt: skip
    for defect in defects:
        score, reason = target.alone(set(defect.recordings))
        answer.alarms.append(
            Alarm(kind=defect.kind, where=defect.where, text=defect.text, score=score, reason=reason)
        )


def _empty(table: pd.DataFrame, root: Path, *, below: bool) -> tuple[list[Defect], int]:
    owners: dict[Path, list[str]] = {}
    for column in file_columns(table):
        for name, cell in zip(table["recording_id"].astype(str), table[column], strict=True):
            if isinstance(cell, str) and cell:
                owners.setdefault(root / cell, []).append(name)
    for file, (_, names) in arrays_of(table, root).items():  # those beside a named one, too
        owners.setdefault(file, list(names))
    empty, looked = empty_files(root, list(owners), below=below)
    if not empty:
        return [], looked
    recordings = dict.fromkeys(name for file in empty for name in owners.get(file, ()))
    files = tuple(relative(file, root) for file in empty)
    text = f"{len(files)} of {looked} file(s) have 0 bytes, e.g. {files[0]}"
    return [Defect(kind="zero_bytes", text=text, recordings=tuple(recordings), files=files)], looked
