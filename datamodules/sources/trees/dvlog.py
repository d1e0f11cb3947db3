"""A folder laid out as D-Vlog, with made-up landmarks and labels."""

from pathlib import Path

import numpy as np
import pandas as pd

_PARTS = ("train", "train", "valid", "test")  # each twice in a row, so that each has both labels


def write(root: str | Path, *, persons: int = 24, seed: int = 0) -> None:
    """Write `labels.csv` and one folder a vlog; the sound of the first is shorter than its picture.

    Args:
        root: Folder to fill; made where it is missing.
        persons: Number of vlogs; nobody says who is in them.
        seed: Same seed, same files.
    """
    folder = Path(root)
    rng = np.random.default_rng(seed)
    rows = []
    for vlog in range(persons):
        depressed = vlog % 2
        length = int(rng.integers(24, 60))
        here = folder / str(vlog)
        here.mkdir(parents=True, exist_ok=True)
        np.save(here / f"{vlog}_visual.npy", _landmarks(rng, length, calm=depressed))
        np.save(here / f"{vlog}_acoustic.npy", rng.normal(size=(length - 5 * (vlog == 0), 25)))
        label = "depression" if depressed else "normal"
        rows.append([vlog, label, f"{length}.0", rng.choice(["m", "f"]), _PARTS[vlog // 2 % len(_PARTS)]])
    table = pd.DataFrame(rows, columns=["index", "label", "duration", "gender", "fold"])
    table.to_csv(folder / "labels.csv", index=False)


def _landmarks(rng: np.random.Generator, length: int, *, calm: int) -> np.ndarray:
    """Points on an ellipse around a wandering center, float64 `(length, 136)`: x, y, x, y, ..."""
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    shape = np.stack([120 * np.cos(angle), 160 * np.sin(angle)], axis=1)
    center = np.array([320, 240]) + np.cumsum(rng.normal(scale=3 - 2 * calm, size=(length, 2)), axis=0)
    points = shape + center[:, None] + rng.normal(scale=0.5, size=(length, 68, 2))
    return np.asarray(points.reshape(length, -1))
