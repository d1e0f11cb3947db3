"""A folder like AVEC2013: one tiny video and one label file a session."""

from pathlib import Path

import numpy as np

from datamodules.sources.trees.shared.avec import AVEC2013, FOLDERS, sessions, write_label
from datamodules.sources.trees.shared.clips import write_clip


def write(root: str | Path, *, persons: int | None = None, seed: int = 0) -> None:
    """Write videos and labels; all 82 persons take a few seconds.

    Args:
        root: Folder to write to; made if absent.
        persons: How many; 13 hold each kind of person once, None is all.
        seed: Decides pictures, labels and who comes when.
    """
    rng = np.random.default_rng(seed)
    for session in sessions(AVEC2013, persons=persons, seed=seed):
        folder = Path(root) / FOLDERS[session.part]
        write_label(folder / "DepressionLabels" / f"{session.name}_Depression.csv", session.score)
        write_clip(folder / "Video" / f"{session.name}_cut_combined.mp4", rng)
