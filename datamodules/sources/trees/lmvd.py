"""A folder laid out as LMVD, with made-up OpenFace tables and labels."""

from pathlib import Path

import numpy as np

from datamodules.sources.trees.shared.openface import write_openface

_FOLDERS = ("Video_feature", "Audio_feature", "label")
_FIRST_LONG = 602  # from here on ids have four digits


def write(root: str | Path, *, persons: int = 16, seed: int = 0) -> None:
    """Write features and labels of vlogs, the depressed with ids of three digits, the others of four.

    Args:
        root: Folder to fill; made where it is missing.
        persons: Number of vlogs; nobody says who is in them.
        seed: Same seed, same files.
    """
    folder = Path(root)
    rng = np.random.default_rng(seed)
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(persons):
        depressed = number % 2
        vlog = f"{1 + number // 2:03d}" if depressed else f"{_FIRST_LONG + number // 2:04d}"
        write_openface(folder / "Video_feature" / f"{vlog}.csv", rng, level=2.0 - depressed)
        np.save(folder / "Audio_feature" / f"{vlog}.npy", rng.normal(size=(4, 128)))
        (folder / "label" / f"{vlog}_Depression.csv").write_text(str(depressed), encoding="utf-8")
