"""LMVD (He et al. 2024): OpenFace tables of 1823 vlogs in the wild, labeled depressed or not.

Layout: `Video_feature/<id>.csv` and, in another folder, `<id>_Depression.csv`: the digit 0 or 1 and nothing
else, so that whoever reads it as a table takes the label for a header. Ids are text: some have three digits,
some four with a leading zero. The corpus has fewer persons than vlogs, but says of none who it is.
"""

from pathlib import Path

from datamodules.manifests.manifest import Manifest
from datamodules.schema import UNKNOWN
from datamodules.sources.shared.corpus_folder import leave_out, open_corpus, visible
from datamodules.sources.shared.draft import SourceError

_SERIES = "Video_feature"
_LABEL = "_Depression.csv"
_NEVER_PUBLISHED = "1424"  # the numbers run to 1824, the corpus has 1823 recordings


def read(*, root: str | Path, probe: bool = True) -> Manifest:
    """OpenFace tables as series, the digit as `binary`; there is neither questionnaire nor official split.

    Args:
        root: Folder with `Video_feature`, or one that holds such a folder; labels may lie anywhere in it.
        probe: As in `read_manifest`.

    Raises:
        SourceError: No features, no label file, two for one id, or one that is not the digit 0 or 1.
    """
    draft = open_corpus(root, name="lmvd", marks=[_SERIES])
    labels = _labels(draft.root)
    tables = {file.stem: file for file in visible(draft.root / _SERIES, "*.csv")}
    draft.rows += [
        {
            "recording_id": f"lmvd_{vlog}",
            "subject_id": UNKNOWN,
            "session_id": "1",
            "path": "",
            "series_path": f"{_SERIES}/{tables[vlog].name}",
            "binary": label,
        }
        for vlog, label in labels.items()
        if vlog in tables
    ]
    leave_out(
        draft, "missing_file", sorted(labels.keys() - tables.keys()), f"a label, but no table in {_SERIES}"
    )
    leave_out(draft, "missing_label", sorted(tables.keys() - labels.keys()), f"no file <id>{_LABEL}")
    others = [file.name for file in visible(draft.root / _SERIES, "*") if file.suffix != ".csv"]
    leave_out(draft, "extra_file", others, "no OpenFace table <id>.csv")
    if _NEVER_PUBLISHED not in labels:
        draft.correct(
            f"missing_{_NEVER_PUBLISHED}", f"id {_NEVER_PUBLISHED}", "was never published; nothing to read"
        )
    draft.notes.append(
        "LMVD names no persons and has fewer of them than vlogs: one may be on both sides of every split"
    )
    return draft.manifest(probe=probe)


def _labels(root: Path) -> dict[str, int]:
    files: dict[str, Path] = {}
    for file in visible(root, f"**/*{_LABEL}"):
        vlog = file.name.removesuffix(_LABEL)
        if vlog in files:
            raise SourceError(f"{file}: id {vlog} has another label file, {files[vlog]}; remove one of them")
        files[vlog] = file
    if not files:
        raise SourceError(f"{root}: no label file <id>{_LABEL} in it; unpack the labels there, too")
    return {vlog: _label(file) for vlog, file in files.items()}


def _label(file: Path) -> int:
    text = file.read_text(encoding="utf-8-sig", errors="replace").strip()
    if text not in ("0", "1"):
        raise SourceError(f"{file}: {text[:20]!r} is no label; the file holds the digit 0 or 1 and no header")
    return int(text)
