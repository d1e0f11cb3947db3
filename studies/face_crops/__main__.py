"""Does cutting out the face pay? `python -m studies.face_crops` writes docs/results/face_crops.md.

A cohort is filmed in rooms once and preprocessed once by `preprocess.py`; then MPDRM is trained on whole
frames, on the aligned crops, and on portraits without a room: the same persons, splits, initializations,
pixels into the network, epochs and learning rate. Every training leaves `<out>/<seed>/<arm>/result.json`;
started again, the study goes on with what is missing.
"""

import sys
from pathlib import Path

import pandas as pd
import torch
from tqdm import tqdm

from datamodules.command_line import run, spelled
from engine.runs.quiet_warnings import quiet
from studies.face_crops.page import write_page
from studies.face_crops.plan import ARMS, EPOCHS, SUBJECTS, cache_of, plan
from studies.face_crops.work import done, filmed, preprocessed


def main(
    *,
    seeds: int = 3,
    subjects: int = SUBJECTS,
    epochs: int = EPOCHS,
    out: Path = Path("outputs/face_crops"),
    data: Path = Path("data"),
    docs: Path = Path("docs/results"),
    arms: tuple[str, ...] = tuple(ARMS),
    workers: int = 2,
) -> None:
    """Film, preprocess, train, write the page.

    Args:
        seeds: Splits and initializations.
        subjects: Persons of the cohort.
        epochs: Of a training.
        out: Cache and results are kept there.
        data: Where cohorts are kept.
        docs: Folder of the page.
        arms: Inputs that are trained on; `frame` is what the others are compared with.
        workers: Processes that film and preprocess; trainings come one after the other.
    """
    quiet()
    torch.set_num_threads(1)
    out, data = out.resolve(), data.resolve()
    rooms = filmed(data, subjects, workers)
    preprocessed(rooms, cache_of(out, subjects), workers)
    units = plan(seeds=seeds, subjects=subjects, epochs=epochs, out=out, data=data, arms=arms)
    results = [done(unit) for unit in tqdm(units, desc="trainings", unit="run")]
    command = "python -m studies.face_crops " + spelled(
        seeds=seeds, subjects=subjects, epochs=epochs, arms=arms
    )
    cache = pd.read_csv(cache_of(out, subjects) / "manifest.csv")
    sys.stdout.write(write_page(results, docs / "face_crops.md", command=command, kept=len(cache)))


if __name__ == "__main__":
    sys.exit(run(main))
