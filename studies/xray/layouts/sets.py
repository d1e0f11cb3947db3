"""Feature sets of pupils: embeddings and head poses of four tasks each, and a table of what the face does."""

from pathlib import Path

import numpy as np
import pandas as pd

from studies.xray.behavior import Row, embedded, measured
from studies.xray.cast import draw_cast, shuffled_names
from studies.xray.layouts.files import manifest_of, records
from studies.xray.layouts.layout import Layout

FPS = 10.0
SETS = {"dinov2": 48, "headpose": 5}  # columns `features_<set>`, and how wide their arrays are
_TASKS = ("passage", "yesterday", "happiest", "saddest")
_SHOWN = {"au04": 16, "au06": 18, "au12": 22, "au25": 28, "pose_pitch": 11}  # places in `behavior.COLUMNS`


def array_of(row: Row, name: str) -> str:
    """File of a set of a recording, relative to the root."""
    return f"{row['folder']}/{row['subject']}/{name}/{row['task']}.npz"


def _draw(rng: np.random.Generator) -> pd.DataFrame:
    schools = ("A", "B", "C", "D")
    cast = draw_cast(rng, persons=60, tasks=_TASKS, tasks_each=4, sites=schools, seconds=12)
    subjects = shuffled_names(rng, cast["person"].nunique(), "pupil{:04d}", first=101)
    cast = cast.assign(subject=[subjects[person] for person in cast["person"]])
    return cast.assign(folder=cast["site"], name="", age=13 + cast["age"] % 5)


def _named(cast: pd.DataFrame) -> pd.DataFrame:
    ids = cast["subject"] + "_" + cast["task"]
    file = cast["folder"] + "/" + cast["subject"] + "/face/" + cast["task"] + ".csv"
    sets = {f"features_{name}": [array_of(row, name) for row in records(cast)] for name in SETS}
    return cast.assign(recording_id=ids, file=file, **sets)


def _write(cast: pd.DataFrame, root: Path, seed: int) -> None:
    for row in records(cast):
        for name, width in SETS.items():
            values, found = embedded(row, seed, fps=FPS, width=width)
            path = root / row[f"features_{name}"]
            path.parent.mkdir(parents=True, exist_ok=True)
            stamps = np.arange(len(values)) * 1000 / FPS
            wanting = np.random.default_rng([seed, 5, int(row["key"])]).integers(-2, 3, len(stamps))
            np.savez(
                path, allow_pickle=False, features=values.astype(np.float32), valid_mask=found,
                timestamps_ms=np.round(stamps + wanting * (stamps > 0)).astype(np.int64),
            )  # fmt: skip
        _write_face(root / row["file"], row, seed)
    columns = ("task", "site", "sex", "age", "split", *(f"features_{name}" for name in SETS))
    manifest_of(cast, columns=columns).to_csv(root / "manifest.csv", index=False)


def _write_face(path: Path, row: dict[str, object], seed: int) -> None:
    values, found = measured(row, seed, fps=FPS)
    table = pd.DataFrame(values[:, list(_SHOWN.values())], columns=list(_SHOWN)).round(4)
    table.insert(0, "timestamp_ms", (np.arange(len(table)) * 1000 / FPS).astype(int))
    path.parent.mkdir(parents=True, exist_ok=True)
    table.assign(valid=found.astype(int)).to_csv(path, index=False)


PUPILS = Layout(
    name="manifest of feature sets",
    fps=FPS,
    scale="PHQ-9",
    source=None,
    draw=_draw,
    named=_named,
    write=_write,
)
