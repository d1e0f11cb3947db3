"""D-Vlog (Yoon et al. 2022): landmarks of 961 vlogs at 1 Hz, which annotators called depressed or normal.

Layout: `labels.csv` with `index, label, duration, gender, fold` and `<index>/<index>_visual.npy`, float64
`(T, 136)`: x and y of 68 landmarks. Nobody published who speaks in which vlog.
"""

from pathlib import Path
from typing import Any

import numpy as np

from datamodules.manifests.manifest import Manifest
from datamodules.schema import UNKNOWN
from datamodules.sources.shared.corpus_folder import leave_out, open_corpus, visible
from datamodules.sources.shared.draft import Draft
from datamodules.sources.shared.label_table import coded, read_labels
from datamodules.wording import first_few

FPS = 1.0  # one row a second
_LABELS = {"depression": 1, "normal": 0}
_SEX = {"m": "M", "f": "F", "": ""}
_PARTS = {"train": "train", "valid": "val", "validation": "val", "dev": "val", "val": "val", "test": "test"}
_COLUMNS = {"index": ["index"], "label": ["label"], "gender": ["gender"], "fold": ["fold"]}


def read(*, root: str | Path, probe: bool = True) -> Manifest:
    """Landmarks as series, the label as `binary`, the official parts in `split`; no questionnaire exists.

    Args:
        root: Folder with `labels.csv`, or one that holds such a folder.
        probe: As in `read_manifest`.

    Raises:
        SourceError: No label file, or one with other columns or values.
        ManifestError: Rows that contradict each other, such as an id that comes twice.
    """
    draft = open_corpus(root, name="dvlog", marks=["labels.csv"])
    rows = _labelled(draft)
    there = {row["series_path"] for row in rows if (draft.root / row["series_path"]).is_file()}
    draft.rows += [row for row in rows if row["series_path"] in there]
    missing = [row["series_path"] for row in rows if row["series_path"] not in there]
    leave_out(draft, "missing_file", missing, "labelled, but there is no such file")
    known = {Path(row["series_path"]).parent.name for row in rows}
    folders = [inner.name for inner in visible(draft.root, "*") if inner.is_dir()]
    leave_out(draft, "extra_folder", [name for name in folders if name not in known], "no label names it")
    draft.notes.append(
        "D-Vlog names no speakers: one person may be on both sides of every split, the official one included"
    )
    _note_lengths(draft)
    return draft.manifest(probe=probe)


def _labelled(draft: Draft) -> list[dict[str, Any]]:
    path = draft.root / "labels.csv"
    table = read_labels(path, _COLUMNS)
    columns = (
        table["index"].tolist(),
        coded(table, "label", _LABELS, path),
        coded(table, "gender", _SEX, path),
        coded(table, "fold", _PARTS, path),
    )
    return [
        {
            "recording_id": f"dvlog_{vlog}",
            "subject_id": UNKNOWN,
            "session_id": "1",
            "path": "",
            "series_path": f"{vlog}/{vlog}_visual.npy",
            "fps": FPS,
            "split": part,
            "sex": sex,
            "binary": label,
        }
        for vlog, label, sex, part in zip(*columns, strict=True)
    ]


def _note_lengths(draft: Draft) -> None:
    uneven = []
    for row in draft.rows:
        visual = draft.root / row["series_path"]
        seen = _rows(visual)
        heard = _rows(visual.with_name(visual.name.replace("_visual", "_acoustic")))
        if seen is not None and heard is not None and seen != heard:
            uneven.append(f"{row['recording_id']} ({seen} and {heard} s)")
    if uneven:
        draft.notes.append(
            f"picture and sound of {len(uneven)} recording(s) differ in length: {first_few(uneven)}; "
            "only the picture is read, whole"
        )


def _rows(file: Path) -> int | None:
    """Length by the header alone; whoever reads the values reports damage."""
    try:
        return len(np.load(file, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError, TypeError):
        return None
