"""A folder of raw videos of drawn persons in rooms, with a table of labels, as a clinic might hand it over.

Run ``python -m datamodules.synthetic.room.film output=clinic persons=8``; it is the input of `preprocess.py`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import pandas as pd

from datamodules.command_line import UsageError, run
from datamodules.commands import typed
from datamodules.manifests.made_up import mark
from datamodules.synthetic.cohort import synthetic_manifest

_HEIGHT = 480  # of 640 x 480 pixels
_COLUMNS = ["file", "subject", "session", "scale", "score"]


def film(
    output: Path, *, persons: int, visits: int, seconds: float, fps: float, seed: int, workers: int | None
) -> pd.DataFrame:
    """Write `person01/visit1.mp4` and so on, `labels.csv` beside them, and return that table.

    Persons, behavior and scores are those of the synthetic cohort, filmed in rooms.

    Args:
        output: Folder to fill.
        persons: Number of persons.
        visits: Recordings of each.
        seconds: Longest recording; recordings keep 90-100 % of it.
        fps: Frames per second.
        seed: Same seed, same videos.
        workers: Processes; all cores by default.
    """
    output.mkdir(parents=True, exist_ok=True)
    mark(output)
    with tempfile.TemporaryDirectory(dir=output, prefix=".film") as work:  # the same disk: files are moved
        made = synthetic_manifest(
            root=work,
            n_subjects=persons,
            n_visits=visits,
            fps=fps,
            duration_s=seconds,
            size=_HEIGHT,
            confound=1.0,
            habit_visibility=0.1,
            seed=seed,
            scene="room",
            workers=workers,
        )
        table = made.table.sort_values(["subject_id", "session_id"])
        names = {subject: f"person{i + 1:02d}" for i, subject in enumerate(table["subject_id"].unique())}
        rows = []
        for subject, recordings in table.groupby("subject_id", sort=True):
            (output / names[subject]).mkdir()
            for visit, one in enumerate(recordings.to_dict("records"), start=1):
                file = f"{names[subject]}/visit{visit}.mp4"
                shutil.move(made.root / one["path"], output / file)
                rows.append([file, names[subject], visit, one["scale"], int(one["score"])])
    labels = pd.DataFrame(rows, columns=_COLUMNS)
    labels.to_csv(output / "labels.csv", index=False)
    return labels


def main(
    output: Path,
    *,
    persons: int = 8,
    visits: int = 2,
    seconds: float = 8.0,
    fps: float = 15.0,
    seed: int = 0,
    workers: int | None = None,
) -> None:
    """Write raw videos of drawn persons in rooms, and labels.csv beside them.

    Args:
        output: A new folder.
        persons: Number of persons.
        visits: Recordings of each.
        seconds: Longest recording.
        fps: Frames per second.
        seed: Same seed, same videos.
        workers: Processes; all cores by default.
    """
    if output.is_dir() and any(output.iterdir()):
        raise UsageError(f"{output}: not empty; give a new folder, so that no real file is mixed in")
    if persons < 1 or visits < 1:
        raise UsageError(f"persons={persons} visits={visits}: give at least one of each")
    sys.stdout.write(f"filming {persons * visits} recordings, some seconds each\n")
    sys.stdout.flush()
    labels = film(
        output, persons=persons, visits=visits, seconds=seconds, fps=fps, seed=seed, workers=workers
    )
    sys.stdout.write(
        f"{output}: {len(labels)} made-up videos, labels in labels.csv; persons: {persons}\n"
        f"next: {typed('validate')} source=folder root={output}\n"
    )


if __name__ == "__main__":
    sys.exit(run(main))
