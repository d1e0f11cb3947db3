"""A folder like DAIC-WOZ: label tables of AVEC2017 and a folder `XXX_P` of CLNF files a participant.

Holds the known faults: participant 409 with a label that contradicts the total, 319 without an answer, text
in a numeric field, blank lines in the table of the test part. Audio, HOG and acoustic files are left out.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from datamodules.sources.shared.phq8 import ITEMS
from datamodules.sources.trees.shared.daic import (
    GAZE,
    PARTS,
    Person,
    answers,
    draw_persons,
    frame_columns,
    write_features,
    write_table,
)

_KNOWN = ("409", "319", "373", "402")  # of which the reader knows something; the others count up from 300
_ABSENT = ("342", "394", "398", "460")
_SLEEP = 2  # place of the answer 319 lacks
_INTENSITIES = ("01", "02", "04", "05", "06", "09", "10", "12", "14", "15", "17", "20", "25", "26")
_PRESENCES = ("04", "12", "15", "23", "28", "45")
_HEADER = ["Participant_ID", "PHQ8_Binary", "PHQ8_Score", "Gender", *(names[0] for names in ITEMS.values())]
_FEATURES: dict[str, Mapping[str, tuple[float, float] | None]] = {
    "AUs": {f"AU{au}_r": (0.0, 5.0) for au in _INTENSITIES} | {f"AU{au}_c": None for au in _PRESENCES},
    "gaze": {f"{axis}_{eye}": GAZE[axis] for eye in ("0", "1", "h0", "h1") for axis in "xyz"},
    "pose": {f"T{axis}": (-100.0, 600.0) for axis in "xyz"} | {f"R{axis}": (-0.5, 0.5) for axis in "xyz"},
    "features": {f"{axis}{point}": (0.0, 640.0) for axis in "xy" for point in range(68)},
    "features3D": {f"{axis}{point}": (-100.0, 600.0) for axis in "XYZ" for point in range(68)},
}


def write(root: str | Path, *, persons: int = 24, seed: int = 0) -> None:
    """Write label tables and features.

    Args:
        root: Folder to write to; made if absent.
        persons: How many, at least 8: then every part has both classes.
        seed: Decides values and labels.
    """
    root = Path(root)
    rng = np.random.default_rng(seed)
    others = [str(number) for number in range(300, 493) if str(number) not in (*_KNOWN, *_ABSENT)]
    numbers = [*_KNOWN, *others][:persons]
    parts = [PARTS[place % len(PARTS)] for place in range(len(numbers))]
    found = [_as_known(person, rng) for person in draw_persons(numbers, parts, rng)]
    _write_labels(root, sorted(found, key=lambda person: person.number))
    for person in found:
        _write_interview(root / f"{person.number}_P", person, rng)
    gaze = root / "300_P" / "300_CLNF_gaze.txt"
    if gaze.is_file():
        lines = gaze.read_text(encoding="utf-8").splitlines()
        lines[5] = lines[5].rpartition(", ")[0] + ", -1.#IND"  # what a C library writes for a number it lacks
        gaze.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _as_known(person: Person, rng: np.random.Generator) -> Person:
    if person.number != "409":
        return person
    return Person(number="409", part=person.part, female=person.female, items=answers(10, rng))


def _write_labels(root: Path, found: list[Person]) -> None:
    for part in ("train", "dev"):
        rows = [_label_row(person) for person in found if person.part == part]
        write_table(root / f"{part}_split_Depression_AVEC2017.csv", _HEADER, rows)
    tested = [person for person in found if person.part == "test"]
    bare = [(person.number, int(not person.female)) for person in tested]
    write_table(root / "test_split_Depression_AVEC2017.csv", ["participant_ID", "Gender"], bare)
    full = []
    for person in tested:
        row = (person.number, int(person.total >= 10), person.total, int(not person.female))
        full += [row, ("", "", "", "")]
    write_table(root / "full_test_split.csv", ["Participant_ID", "PHQ_Binary", "PHQ_Score", "Gender"], full)


def _label_row(person: Person) -> list[object]:
    items: list[object] = list(person.items)
    if person.number == "319":
        items[_SLEEP] = ""
    binary = 0 if person.number == "409" else int(person.total >= 10)
    return [person.number, binary, person.total, int(not person.female), *items]


def _write_interview(folder: Path, person: Person, rng: np.random.Generator) -> None:
    frames = frame_columns(rng)
    for name, ranges in _FEATURES.items():
        write_features(folder / f"{person.number}_CLNF_{name}.txt", frames, ranges, rng)
    turns = [("0.100", "0.300", "Ellie", "hello"), ("0.400", "0.600", "Participant", "hello")]
    header = ["start_time", "stop_time", "speaker", "value"]
    write_table(folder / f"{person.number}_TRANSCRIPT.csv", header, turns, between="\t")
