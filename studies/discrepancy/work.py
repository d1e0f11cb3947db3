"""What a worker of the trial does: the cells of one cohort, in a file."""

import os
from pathlib import Path

import pandas as pd

from studies.discrepancy.cells import cells
from studies.discrepancy.cohort import SETTINGS, draw


def compute(setting: str, seed: int, *, persons: int, folder: Path) -> Path:
    """The cells of one cohort as a CSV, made unless it is there; it appears when it is whole."""
    path = folder / f"{setting}-{persons}-{seed}.csv"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        cohort = draw(SETTINGS[setting], persons=persons, seed=seed)
        rows = pd.DataFrame(cells(cohort, seed=seed)).assign(setting=setting, seed=seed, persons=persons)
        partial = path.with_suffix(f".{os.getpid()}")
        rows.to_csv(partial, index=False)
        partial.replace(path)
    return path
