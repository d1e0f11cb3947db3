"""A folder of videos or series with a table of labels, all made up."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from datamodules.sources.trees.openface import write_openface
from datamodules.synthetic.video import write_video

_VISITS = 2


def write(root: str | Path, *, persons: int = 8, seed: int = 0, series: bool = False) -> None:
    """Write `labels.csv` (`file, subject, session, scale, score`) and two recordings of everyone.

    Args:
        root: Folder to fill; made where it is missing.
        persons: Number of people.
        seed: Same seed, same files.
        series: Write OpenFace tables instead of videos.
    """
    folder = Path(root)
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(persons):
        name = f"person{person + 1:02d}"
        (folder / name).mkdir(parents=True, exist_ok=True)
        for visit in range(1, _VISITS + 1):
            score = int(rng.integers(0, 10)) + 20 * (person % 2)
            file = f"{name}/visit{visit}.{'csv' if series else 'mp4'}"
            if series:
                write_openface(folder / file, rng, level=1 + score / 15)
            else:
                write_video(folder / file, _frames(rng, 12 + visit), fps=25.0)
            rows.append([file, name, visit, "BDI-II", score])
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["file", "subject", "session", "scale", "score"], *rows])


def _frames(rng: np.random.Generator, count: int) -> Iterator[np.ndarray]:
    """Blurred noise that drifts, uint8 `(32, 32, 3)`."""
    ground = np.kron(rng.integers(0, 255, size=(4, 4, 3)), np.ones((8, 8, 1)))
    for number in range(count):
        yield np.roll(ground, number, axis=1).astype(np.uint8)
