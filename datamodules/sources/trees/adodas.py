"""A folder laid out as the AdoDAS challenge states it, with made-up features and answers.

Names of schools, sets and tasks are ours: the public pages state the tree, not the names in it.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

TASKS = ("reading", "yesterday", "happiest", "saddest")
SETS = {"quality": 4, "head_pose": 5, "dinov2/small": 384}
_PARTS = ("train",) * 7 + ("val", "test", "test")  # 7/1/2 by person
_ROWS = 24  # of a sequence
_STEP_MS = 200
_ITEMS = 21


def write(root: str | Path, *, persons: int = 40, seed: int = 0, schools: int = 4) -> None:
    """Write sequences and pooled features of four tasks, and `labels.csv` of all but the test part.

    Args:
        root: Folder to fill; made where it is missing.
        persons: How many; of every ten seven train, one validates and two are tested.
        seed: Same seed, same files.
        schools: How many, of two classes each.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(persons):
        part, severity = _PARTS[number % len(_PARTS)], (number // len(_PARTS) + number) % 4
        school, room = f"school{number % schools + 1}", f"class{number // schools % 2 + 1}"
        person = f"P{number + 1:03d}"
        _write_person(folder / part / school / room / person, rng, severity)
        if part != "test":
            rows.append([school, room, person, *_answers(rng, severity)])
    items = [f"d{number:02d}" for number in range(1, _ITEMS + 1)]
    table = pd.DataFrame(rows, columns=["anon_school", "anon_class", "anon_pid", *items])
    table.to_csv(folder / "labels.csv", index=False)


def _answers(rng: np.random.Generator, severity: int) -> list[int]:
    answers: list[int] = rng.binomial(3, 0.08 + 0.24 * severity, size=_ITEMS).tolist()
    return answers


def _write_person(folder: Path, rng: np.random.Generator, severity: int) -> None:
    for modality, sets in {"video": SETS, "audio": {"spectrum": 8}}.items():
        for name, width in sets.items():
            center = rng.normal(severity / 4, 1, size=width)  # persons differ more than severity shows
            for task in TASKS:
                here = folder / modality / name / task
                here.mkdir(parents=True)
                values = rng.normal(center, 1, size=(_ROWS, width)).astype(np.float32)
                valid = np.ones(_ROWS, dtype=np.bool_)
                valid[5] = False
                _write_sequence(here / "sequence.npz", values, valid)
                np.save(here / "pooled.npy", values[valid].mean(axis=0, keepdims=True))


def _write_sequence(path: Path, features: NDArray[np.float32], valid: NDArray[np.bool_]) -> None:
    times = np.arange(len(features), dtype=np.int64) * _STEP_MS
    np.savez(path, features=features, timestamps_ms=times, valid_mask=valid)
