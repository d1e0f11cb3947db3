"""A folder like AVEC2014: two tiny videos a session, one label file, test labels in a folder of their own."""

from pathlib import Path

import numpy as np

from datamodules.sources.avec2014 import TASKS
from datamodules.sources.trees.shared.avec import AVEC2014, FOLDERS, sessions, write_label
from datamodules.sources.trees.shared.clips import write_clip

_LABELS = {
    "train": "Final_Labels/Training_DepressionLabels",
    "dev": "Final_Labels/Development_DepressionLabels",
    "test": "AVEC2014_Labels_Testset/Testing/DepressionLabels",
}


def write(root: str | Path, *, persons: int | None = None, seed: int = 0) -> None:
    """Write videos and labels; all 83 persons take a few seconds.

    Args:
        root: Folder to write to; made if absent.
        persons: How many; 13 hold each kind of person once, None is all.
        seed: Decides pictures, labels and who comes when.
    """
    root = Path(root)
    rng = np.random.default_rng(seed)
    for session in sessions(AVEC2014, persons=persons, seed=seed):
        write_label(root / _LABELS[session.part] / f"{session.name}_Depression.csv", session.score)
        for task in TASKS:
            folder = root / "AVEC2014_AudioVisual" / "Video" / FOLDERS[session.part] / task
            write_clip(folder / f"{session.name}_{task}_video.mp4", rng)
