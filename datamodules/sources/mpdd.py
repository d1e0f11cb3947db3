"""MPDD (Fu et al. 2025): features of face video by windows of seconds, depression classes, traits of people.

Layout of a track (`MPDD-Young`, `MPDD-Elderly`): `{Training,Testing}/labels/*_files.json`, a list of entries
with `video_feature_path` and the classes, beside it `personalized_*.json` about people, and
`{Training,Testing}/{1s,5s}/Visual/<features>/<file>.npy`. File names begin with the number of the person.
`individualEmbedding` holds embeddings of generated text; it is not a measurement and is not read.
"""

from pathlib import Path
from typing import Any, Literal

from datamodules.manifests.manifest import Manifest
from datamodules.sources.reading.builder import Draft, SourceError
from datamodules.sources.reading.layout import leave_out, open_corpus, some, visible
from datamodules.sources.reading.mpdd_people import people_of, read_json

Track = Literal["young", "elderly"]
Window = Literal["1s", "5s"]

_PARTS = {"Training": "train", "Testing": "test"}
_CLASSES = {
    "bin_category": ("binary", 2),
    "tri_category": ("category_tri", 3),
    "pen_category": ("category_pen", 5),
}


def read(
    *,
    root: str | Path,
    probe: bool = True,
    track: Track | None = None,
    window: Window = "1s",
    features: str = "openface",
) -> Manifest:
    """One recording a file, two classes as `binary`, three and five in `category_tri` and `category_pen`.

    The lists carry classes of the PHQ-9 but not its total, so there is neither `scale` nor `score`.

    Args:
        root: Folder of one track, or one that holds it.
        probe: As in `read_manifest`.
        track: Which one, because both number their people from 1; None asks the name of the folder.
        window: Seconds that one row sums up.
        features: Folder below `Visual`: `openface`, `resnet`, `densenet`.

    Raises:
        SourceError: No label file or features, an entry without file, or a class that does not exist.
        ManifestError: A file that is listed twice.
    """
    draft = open_corpus(root, name="mpdd", marks=["Training"])
    track = track or _track_of(draft.root)
    for folder, part in _PARTS.items():
        if (draft.root / folder).is_dir():
            _read_part(draft, Path(folder) / window / "Visual" / features, part, track, 1 / int(window[0]))
    shared = _people_in(draft, "train") & _people_in(draft, "test")
    if shared:
        draft.notes.append(f"{len(shared)} person(s) are in Training and Testing: {some(sorted(shared))}")
    return draft.manifest(probe=probe)


def _read_part(draft: Draft, folder: Path, part: str, track: Track, fps: float) -> None:
    if not (draft.root / folder).is_dir():
        raise SourceError(
            f"{draft.root / folder}: no such folder; choose other window or features, or unpack it"
        )
    labels = draft.root / folder.parts[0] / "labels"
    entries = _entries(labels)
    people = people_of(draft, labels)
    missing, listed = [], set()
    for entry, name in entries:
        listed.add(name)
        if not (draft.root / folder / name).is_file():
            missing.append(name)
            continue
        person = _person(name, labels)
        draft.rows.append(
            {
                "recording_id": f"mpdd_{track}_{Path(name).stem}",
                "subject_id": f"mpdd:{track}_{person}",
                "session_id": "1",
                "path": "",
                "series_path": (folder / name).as_posix(),
                "fps": fps,
                "split": part,
                **_classes(entry, name, labels),
                **people.get(person, {}),
            }
        )
    leave_out(draft, "missing_file", missing, f"listed, but not in {folder.as_posix()}")
    there = {
        file.relative_to(draft.root / folder).as_posix() for file in visible(draft.root / folder, "**/*.npy")
    }
    leave_out(draft, "missing_label", sorted(there - listed), f"in {folder.as_posix()}, but not listed")


def _entries(labels: Path) -> list[tuple[dict[str, Any], str]]:
    """Entries of the one list in the folder, each with its file."""
    files = visible(labels, "*_files.json")
    if len(files) != 1:
        raise SourceError(f"{labels}: {len(files)} files *_files.json; the corpus has one list a part")
    entries = read_json(files[0])
    if not isinstance(entries, list):
        raise SourceError(f"{files[0]}: a list of entries is expected, not a {type(entries).__name__}")
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("video_feature_path"), str):
            raise SourceError(f"{files[0]}: entry {number} has no 'video_feature_path'; download it again")
    return [(entry, entry["video_feature_path"].strip()) for entry in entries]


def _classes(entry: dict[str, Any], name: str, labels: Path) -> dict[str, int]:
    found = {}
    for key, (column, count) in _CLASSES.items():
        if key not in entry:
            continue
        if entry[key] not in range(count):
            raise SourceError(f"{labels}: '{key}' of {name} is {entry[key]!r}, not 0 to {count - 1}")
        found[column] = int(entry[key])
    return found


def _person(name: str, labels: Path) -> str:
    number = Path(name).stem.split("_")[0]
    if not number.isdecimal():
        raise SourceError(f"{labels}: {name!r} does not begin with the number of a person and '_'")
    return str(int(number))


def _track_of(folder: Path) -> Track:
    name = folder.name.lower()
    if ("young" in name) == ("elder" in name):
        raise SourceError(f"{folder}: young or elderly? State it with track=young or track=elderly")
    return "young" if "young" in name else "elderly"


def _people_in(draft: Draft, part: str) -> set[str]:
    return {row["subject_id"] for row in draft.rows if row["split"] == part}
