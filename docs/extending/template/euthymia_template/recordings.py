"""A source of recordings: made-up random walks. Yours reads the files of your lab instead."""

from pathlib import Path

import numpy as np

from datamodules.manifests.made_up import mark
from datamodules.manifests.manifest import Manifest
from datamodules.sources.shared.draft import Draft


def walks(*, root: str, persons: int, seed: int = 0) -> Manifest:
    """Write a series a visit, two visits a person, and list them; a high score walks a little slower."""
    draft, random = Draft(name="walks", root=Path(root).resolve()), np.random.default_rng(seed)
    draft.root.mkdir(parents=True, exist_ok=True)
    mark(draft.root)  # as made up
    for number in range(2 * persons):
        name, score = f"walk_{seed}_{number:03}", int(random.integers(0, 45))
        steps = random.normal(0, 2 + random.uniform() - score / 45, (400, 2))
        np.savez(draft.root / f"{name}.npz", values=steps.cumsum(0), channels=["x", "y"], fps=10.0)
        who = {"subject_id": f"walk:{number // 2}", "session_id": str(number % 2), "scale": "BDI-II"}
        file = {"path": "", "series_path": f"{name}.npz"}
        draft.rows.append({"recording_id": name, **who, "score": score, **file})
    return draft.manifest(probe=True)
