"""MPDD (Fu et al. 2025): features of face video by windows of seconds, depression classes, traits of persons.

Layout of a track (`MPDD-Young`, `MPDD-Elderly`): `{Training,Testing}/labels/*_files.json`, a list of entries
with `video_feature_path` and the classes, beside it `personalized_*.json` about persons, and
`{Training,Testing}/{1s,5s}/Visual/<features>/<file>.npy`. File names begin with the number of the person.
`individualEmbedding` holds embeddings of generated text; it is not a measurement and is not read.
"""

import json
from pathlib import Path
from typing import Any, Literal

from datamodules.manifests.manifest import Manifest
from datamodules.sources.shared.corpus_folder import leave_out, open_corpus, visible
from datamodules.sources.shared.draft import Draft, SourceError
from datamodules.wording import first_few

Track = Literal["young", "elderly"]
Window = Literal["1s", "5s"]

_PARTS = {"Training": "train", "Testing": "test"}
_CLASSES = {
    "bin_category": ("binary", 2),
    "tri_category": ("category_tri", 3),
    "pen_category": ("category_pen", 5),
}
_BIG_FIVE = ("Openness", "Conscientiousness", "Extraversion", "Agreeableness", "Neuroticism")
_TRAITS = {name: f"trait_{name[0]}" for name in _BIG_FIVE}
_KEYS = ("big5_scores", "big5_traits")  # sums of two items; where these are missing, what was made of them
_SEX = {"female": "F", "male": "M"}


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
        track: Which one, because both number their persons from 1; None asks the name of the folder.
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
    shared = draft.subjects("train") & draft.subjects("test")
    if shared:
        who = first_few(sorted(shared))
        draft.notes.append(f"{len(shared)} person(s) are in Training and Testing: {who}")
    return draft.manifest(probe=probe)


def _read_part(draft: Draft, folder: Path, part: str, track: Track, fps: float) -> None:
    if not (draft.root / folder).is_dir():
        raise SourceError(
            f"{draft.root / folder}: no such folder; choose other window or features, or unpack it"
        )
    labels = draft.root / folder.parts[0] / "labels"
    entries = _entries(labels)
    persons = _persons_of(draft, labels)
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
                **persons.get(person, {}),
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
    entries = _read_json(files[0])
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


def _persons_of(draft: Draft, labels: Path) -> dict[str, dict[str, Any]]:
    """Columns of everyone in `personalized_*.json`, by number; none where there is no such file.

    Args:
        draft: Takes a note of where the traits come from, or why there are none.
        labels: Folder of the file.

    Raises:
        SourceError: Several such files, one that is no table of persons, or an unknown sex.
    """
    files = visible(labels, "personalized_*.json")
    if not files:
        draft.notes.append(
            f"{labels.relative_to(draft.root)}: no personalized_*.json, hence neither traits nor age"
        )
        return {}
    if len(files) > 1:
        raise SourceError(f"{labels}: {len(files)} files personalized_*.json; keep one")
    persons = _read_json(files[0])
    if not isinstance(persons, dict) or not all(isinstance(person, dict) for person in persons.values()):
        raise SourceError(f"{files[0]}: not a table of persons by number; download it again")
    key = next((key for key in _KEYS if _numeric(persons, key)), None)
    where = files[0].relative_to(draft.root)
    if key is None:
        draft.notes.append(f"{where}: no Big Five as numbers, hence no traits")
    else:
        draft.notes.append(f"{where}: traits are '{key}' as published, in its own units")
    return {str(number): _columns(person, key, files[0]) for number, person in persons.items()}


def _read_json(path: Path) -> Any:
    """Parse a file.

    Raises:
        SourceError: It is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as fault:
        raise SourceError(f"{path}: not readable as JSON ({fault}); download it again") from fault


def _numeric(persons: dict[str, dict[str, Any]], key: str) -> bool:
    """Whether someone has all five under this key, and everyone who has the key has them as numbers."""
    given = [person[key] for person in persons.values() if key in person]
    return bool(given) and all(
        isinstance(traits, dict) and all(isinstance(traits.get(name), int | float) for name in _TRAITS)
        for traits in given
    )


def _columns(person: dict[str, Any], key: str | None, path: Path) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if key is not None and key in person:
        columns |= {column: person[key][name] for name, column in _TRAITS.items()}
    if "gender" in person:
        word = str(person["gender"]).strip().lower()
        if word not in _SEX:
            raise SourceError(f"{path}: 'gender' is {person['gender']!r}; known are {', '.join(_SEX)}")
        columns["sex"] = _SEX[word]
    if "age" in person:
        columns["age"] = person["age"]
    return columns
