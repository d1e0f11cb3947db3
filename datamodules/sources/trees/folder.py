"""A folder of videos or series with a table of labels, all made up."""

from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.sources.trees.shared.clips import write_clip
from datamodules.sources.trees.shared.openface import write_openface

_VISITS = 2


def write(root: str | Path, *, persons: int = 8, seed: int = 0, series: bool = False) -> None:
    """Write `labels.csv` (`file, subject, session, scale, score`) and two recordings of everyone.

    Args:
        root: Folder to fill; made where it is missing.
        persons: Number of persons.
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
                write_clip(folder / file, rng, frames=12 + visit, fps=25.0)
            rows.append([file, name, visit, "BDI-II", score])
    table = pd.DataFrame(rows, columns=["file", "subject", "session", "scale", "score"])
    table.to_csv(folder / "labels.csv", index=False)
