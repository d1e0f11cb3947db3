"""Reading shared by the two AVEC depression corpora: sessions, label files of one number, parts by folder.

A session is `PPP_S`, person and visit. Both corpora draw on the same persons and largely on the same sessions
(Valstar et al. 2013 and 2014), so the persons are `avec:PPP` in both.
"""

import re
from itertools import combinations
from pathlib import Path

from datamodules.manifests.manifest import Manifest
from datamodules.sources.shared.download import Download
from datamodules.sources.shared.draft import Draft, SourceError
from datamodules.sources.shared.label_table import as_number

PARTS = ("train", "dev", "test")
_FOLDERS = {  # first word of a folder -> part
    "training": "train",
    "train": "train",
    "development": "dev",
    "dev": "dev",
    "testing": "test",
    "test": "test",
}
_LABEL = re.compile(r"(?P<key>\d{3}_\d+)_Depression\.csv", re.IGNORECASE)
_VIDEOS = (".mp4", ".avi")


def read_avec(*, name: str, twin: str, root: str | Path, video: re.Pattern[str], probe: bool) -> Manifest:
    """Videos below the folder, each with the label of its session and the part of its folder.

    Args:
        name: `avec2013` or `avec2014`.
        twin: The other one, for a remark.
        root: Folder that holds videos and label files, at any depth.
        video: File names; `key` is the recording, which begins with the session; a third part is the task.
        probe: As in `read_manifest`.

    Raises:
        SourceError: No labels, a label file of something else, or a session in two parts.
        ManifestError: A score outside the BDI-II.
    """
    download = Download.below(root)
    draft = Draft(name=name, root=download.root)
    videos, labels = download.matching(video), _labels(download)
    parts = _parts_of_sessions(videos, labels, download.root)
    scores = {session: _score(path) for session, path in labels.items()}
    draft.rows = [_row(key, path, parts, scores) for key, path in videos.items()]
    _report_missing(draft, parts, scores)
    for path in download.files:
        if path.suffix.lower() in _VIDEOS and path not in videos.values():
            where = path.relative_to(download.root).as_posix()
            draft.correct("unknown_file", where, "no recording of this name; left out")
    download.report(draft)
    draft.notes += _overlap(draft)
    draft.notes.append(
        f"{twin} records the same persons, most of them in the same sessions: neither tests the other"
    )
    return draft.manifest(probe=probe)


def _labels(download: Download) -> dict[str, Path]:
    labels = download.matching(_LABEL)
    if labels:
        return labels
    matlab = [path for path in download.files if re.match(r"DepressionLabels.*\.mat", path.name, re.I)]
    remedy = (
        f"{matlab[0].name} holds them for MATLAB; write the number of each session to its own file"
        if matlab
        else "they come in an archive of their own; unpack it below root"
    )
    raise SourceError(f"{download.root}: no label files PPP_S_Depression.csv in it or below; {remedy}")


def _score(path: Path) -> float:
    text = path.read_text(encoding="utf-8-sig").strip()
    value = as_number(text)
    if value is None:
        raise SourceError(
            f"{path}: expected one number without a header, found {text[:40]!r}; restore the published file"
        )
    return value


def _session(key: str) -> str:
    return "_".join(key.split("_")[:2])


def _part(path: Path, root: Path) -> str | None:
    """The part the nearest enclosing folder names: `Training`, `Training_DepressionLabels`, `train`, ..."""
    for folder in reversed(path.relative_to(root).parts[:-1]):
        word = folder.lower().split("_")[0]
        if word in _FOLDERS:
            return _FOLDERS[word]
    return None


def _parts_of_sessions(videos: dict[str, Path], labels: dict[str, Path], root: Path) -> dict[str, str]:
    """Part of every session that has a video; a label in a folder of another part contradicts it."""
    found: dict[str, tuple[str, Path]] = {}
    for key, path in (*videos.items(), *labels.items()):
        part, session = _part(path, root), _session(key)
        if part is None and key in videos:
            raise SourceError(
                f"{path}: lies in no folder Training, Development or Testing, so its part of the official "
                "partition is unknown; restore the published folders"
            )
        if part is None:  # labels of all parts in one folder
            continue
        first, where = found.setdefault(session, (part, path))
        if part != first:
            raise SourceError(
                f"{path}: session {session} is in '{part}' here and in '{first}' at {where}; "
                "restore the published folders, or choose another protocol than the official parts"
            )
    return {session: part for session, (part, _) in found.items()}


def _row(key: str, path: Path, parts: dict[str, str], scores: dict[str, float]) -> dict[str, object]:
    session = _session(key)
    return {
        "recording_id": key,
        "subject_id": f"avec:{key.split('_')[0]}",
        "session_id": session,
        "task": key[len(session) + 1 :],
        "path": str(path),
        "split": parts[session],
        "scale": "BDI-II",
        "score": scores.get(session),
    }


def _report_missing(draft: Draft, parts: dict[str, str], scores: dict[str, float]) -> None:
    recorded = {str(row["session_id"]) for row in draft.rows}
    for part in PARTS:
        sessions = sorted(session for session in recorded if parts[session] == part)
        bare = [session for session in sessions if session not in scores]
        if sessions and bare == sessions:
            draft.notes.append(f"'{part}' has no labels: they come in an archive of their own")
            continue
        for session in bare:
            draft.correct("missing_label", f"session {session}", "no label file; score left empty")
    for session in sorted(set(scores) - recorded):
        draft.correct("label_without_video", f"session {session}", "label not used")


def _overlap(draft: Draft) -> list[str]:
    shared = [
        f"{first} and {second} {count}"
        for first, second in combinations(PARTS, 2)
        if (count := len(draft.subjects(first) & draft.subjects(second)))
    ]
    if not shared:
        return []
    return [
        f"the official parts keep sessions apart, not persons; persons in two parts: {', '.join(shared)}. "
        "A result on them needs a look-up of the same person's other label beside it"
    ]
