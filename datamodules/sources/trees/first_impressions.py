"""A folder laid out as First Impressions V2, with made-up clips and traits."""

import pickle
from pathlib import Path

import numpy as np

from datamodules.sources.trees.shared.clips import write_clip

_TRAITS = ("extraversion", "neuroticism", "agreeableness", "conscientiousness", "interview", "openness")
_PARTS = ("training", "training", "validation", "test")  # of the clips of one video in turn
_FOLDERS = {"training": "train", "validation": "validation", "test": "test"}
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789-_"


def write(root: str | Path, *, persons: int = 8, seed: int = 0, clips: int = 3) -> None:
    """Write annotations and tiny clips; as published, clips of one video are in several parts.

    Args:
        root: Folder to fill; made where it is missing.
        persons: Number of videos that clips are from.
        seed: Same seed, same files.
        clips: Clips of each.
    """
    folder = Path(root)
    rng = np.random.default_rng(seed)
    tables: dict[str, dict[str, dict[str, float]]] = {
        part: {trait: {} for trait in _TRAITS} for part in _FOLDERS
    }
    for person in range(persons):
        source = "".join(rng.choice(list(_LETTERS), size=11))
        liking = rng.uniform(0.2, 0.8)  # one impression behind all traits, so that they correlate
        for clip in range(clips):
            part = _PARTS[(person + clip) % len(_PARTS)]
            name = f"{source}.{clip:03d}.mp4"
            here = folder / f"{_FOLDERS[part]}-{person % 2 + 1}"
            write_clip(here / name, rng, frames=10 + person % 5, fps=25.0)
            for trait in _TRAITS:
                tables[part][trait][name] = float(np.clip(liking + rng.normal(scale=0.05), 0, 1))
    for part, table in tables.items():
        (folder / f"annotation_{part}.pkl").write_bytes(pickle.dumps(table, protocol=2))  # as Python 2 does
