"""A folder laid out as MPDD-AVG states it, with made-up features, gait and labels.

Where inside `Video` and `IMU` a file lies is ours (`<set>/<ID>.npy`, `<ID>.npy`): the public pages do not
state it.
"""

from pathlib import Path

import numpy as np
import pandas as pd

SETS = {"densenet": 1000, "resnet": 1000, "openface": 710}
IMU_CHANNELS = 12
_ROWS = 16
_TERNARY = (5, 10)  # of the PHQ-9; made up, as the pages do not state how label3 follows from it
_FACTS = ("trait_O", "trait_C", "trait_E", "trait_A", "trait_N", "age", "sex", "diseases")


def write(root: str | Path, *, persons: int = 40, seed: int = 0) -> None:
    """Write both cohorts, their tables `split_labels_train.csv`, and `people.csv` of everybody.

    Args:
        root: Folder to fill; made where it is missing.
        persons: How many in all, half of them young; a quarter of each cohort is tested.
        seed: Same seed, same files.
    """
    folder, rng = Path(root), np.random.default_rng(seed)
    people = []
    for cohort, first in {"Young": 1, "Elder": 501}.items():
        numbers = range(first, first + persons // 2)
        cut = len(numbers) - len(numbers) // 4
        labels = []
        for place, number in enumerate(numbers):
            part = "trainval" if place < cut else "test"
            total = int(rng.integers(0, 5) + 6 * (place % 4))
            _write_person(folder / part / cohort, str(number), rng, total)
            people.append(_facts(rng, number, cohort))
            if part == "trainval":
                inner = "val" if place // 4 % 3 == 2 else "train"
                labels.append([number, inner, int(total >= 10), sum(total >= cut for cut in _TERNARY), total])
        table = pd.DataFrame(labels, columns=["ID", "split", "label2", "label3", "PHQ-9"])
        table.to_csv(folder / "trainval" / cohort / "split_labels_train.csv", index=False)
    pd.DataFrame(people, columns=["ID", *_FACTS]).to_csv(folder / "people.csv", index=False)


def _write_person(folder: Path, name: str, rng: np.random.Generator, total: int) -> None:
    for inner, width in {
        **{f"Video/{name}": width for name, width in SETS.items()},
        "IMU": IMU_CHANNELS,
        "Audio/spectrum": 8,
    }.items():
        here = folder / inner
        here.mkdir(parents=True, exist_ok=True)
        center = rng.normal(total / 20, 1, size=width)  # persons differ more than severity shows
        values = rng.normal(center, 1, size=(_ROWS, width)).astype(np.float32)
        np.save(here / f"{name}.npy", values)


def _facts(rng: np.random.Generator, number: int, cohort: str) -> list[object]:
    traits = rng.integers(1, 6, size=5).tolist()
    age = int(rng.integers(18, 26) if cohort == "Young" else rng.integers(60, 85))
    return [number, *traits, age, "F" if number % 2 else "M", "none" if cohort == "Young" else "hypertension"]
