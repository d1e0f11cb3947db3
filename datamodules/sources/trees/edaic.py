"""A folder like E-DAIC: `labels/` and a folder `XXX_P/features` a participant.

Published binary labels contradict two totals, one in train and one in test. Audio and network features are
left out.
"""

from pathlib import Path

import numpy as np

from datamodules.series.formats.openface import INTENSITIES, PRESENCES
from datamodules.sources.shared.phq8 import ITEMS
from datamodules.sources.trees.shared.daic import (
    GAZE,
    PARTS,
    Person,
    draw_persons,
    frame_columns,
    write_features,
    write_table,
)

_WOZ, _AI = 300, 600  # first numbers; the test part was interviewed by a program only
_COLUMNS: dict[str, tuple[float, float] | None] = (
    {f"pose_T{axis}": (-100.0, 600.0) for axis in "xyz"}
    | {f"pose_R{axis}": (-0.5, 0.5) for axis in "xyz"}
    | {f"gaze_{eye}_{axis}": GAZE[axis] for eye in (0, 1) for axis in "xyz"}
    | {f"gaze_angle_{axis}": (-0.5, 0.5) for axis in "xy"}
    | {f"AU{au:02d}_r": (0.0, 5.0) for au in INTENSITIES}
    | {f"AU{au:02d}_c": None for au in PRESENCES}
)
_HEADER = ["Participant_ID", "Gender", "PHQ_Binary", "PHQ_Score", "PCL-C (PTSD)", "PTSD Severity"]


def write(root: str | Path, *, persons: int = 24, seed: int = 0) -> None:
    """Write label tables and features.

    Args:
        root: Folder to write to; made if absent.
        persons: How many, at least 8: then every part has both classes.
        seed: Decides values and labels.
    """
    root = Path(root)
    rng = np.random.default_rng(seed)
    parts = [PARTS[place % len(PARTS)] for place in range(persons)]
    numbers = [str((_AI if part == "test" else _WOZ) + place) for place, part in enumerate(parts)]
    found = draw_persons(numbers, parts, rng)
    _write_labels(root / "labels", sorted(found, key=lambda person: person.number), rng)
    for person in found:
        _write_interview(root / f"{person.number}_P", person, rng)


def _write_labels(folder: Path, found: list[Person], rng: np.random.Generator) -> None:
    for part in ("train", "dev", "test"):
        members = [person for person in found if person.part == part]
        positive = [person.number for person in members if person.total >= 10]
        contrary = positive[:1] if part != "dev" else []
        rows = [_label_row(person, person.number in contrary, rng) for person in members]
        write_table(folder / f"{part}_split.csv", _HEADER, rows)
    header = ["Participant_ID", *(names[1] for names in ITEMS.values()), "PHQ_8Total"]
    rows = [[person.number, *person.items, person.total] for person in found if person.part != "test"]
    write_table(folder / "Detailed_PHQ8_Labels.csv", header, rows)


def _label_row(person: Person, contrary: bool, rng: np.random.Generator) -> list[object]:
    binary = int(person.total >= 10) ^ contrary
    stress = int(rng.integers(17, 86))  # the range of the PCL-C
    sex = "female" if person.female else "male"
    return [person.number, sex, binary, person.total, int(stress >= 44), stress]


def _write_interview(folder: Path, person: Person, rng: np.random.Generator) -> None:
    name = f"{person.number}_OpenFace2.1.0_Pose_gaze_AUs.csv"
    write_features(folder / "features" / name, frame_columns(rng), _COLUMNS, rng)
    header = ["Start_Time", "End_Time", "Text", "Confidence"]
    write_table(folder / f"{person.number}_Transcript.csv", header, [(0.1, 0.3, "hello", 0.9)])
