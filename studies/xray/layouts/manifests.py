"""Two manifests of one's own: tables of a clinic's OpenFace, and our `.npz` of two joined studies."""

from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.series.formats.openface import COLUMNS as CHANNEL_OF
from studies.xray.behavior import COLUMNS, measured
from studies.xray.cast import draw_cast, shuffled_names
from studies.xray.layouts.files import TRAIT_COLUMNS, manifest_of, records, write_behavior
from studies.xray.layouts.layout import Layout, Named

_CSV_FPS, _NPZ_FPS = 30.0, 15.0
_KEPT = [place for place, name in enumerate(COLUMNS) if name.endswith("_r") or name.startswith("pose_R")]
_CHANNELS = np.array([CHANNEL_OF[COLUMNS[place]].channel for place in _KEPT])


def with_persons(cast: pd.DataFrame, rng: np.random.Generator, pattern: str) -> pd.DataFrame:
    """The cast with `subject`, and `name` of the person's visit, in one folder."""
    subjects = shuffled_names(rng, cast["person"].nunique(), pattern)
    cast = cast.assign(subject=[subjects[person] for person in cast["person"]])
    return cast.assign(name=cast["subject"] + "_v" + cast["visit"].astype(str), folder="series")


def in_files(ending: str) -> Named:
    """Ids and files of the names, with this ending."""
    return lambda cast: cast.assign(
        recording_id=cast["name"], file=cast["folder"] + "/" + cast["name"] + ending
    )


def _clinic(rng: np.random.Generator) -> pd.DataFrame:
    sites = ("north", "south", "east")
    tasks = ("interview", "reading")
    cast = draw_cast(rng, persons=90, tasks=tasks, sites=sites, visits=True, seconds=14)
    return with_persons(cast, rng, "P{:03d}")


def _write_csv(cast: pd.DataFrame, root: Path, seed: int) -> None:
    for row in records(cast):
        write_behavior(root / row["file"], row, seed, fps=_CSV_FPS)
    columns = ("task", "site", "sex", "age", "split", *TRAIT_COLUMNS)
    manifest_of(cast, columns=columns).assign(fps=_CSV_FPS).to_csv(root / "manifest.csv", index=False)


def _joined(rng: np.random.Generator) -> pd.DataFrame:
    devices = ("phone", "webcam")
    cast = draw_cast(rng, persons=110, tasks=("vlog", "interview"), devices=devices, scale="BDI-II")
    studies = rng.choice(["spring", "autumn"], size=cast["person"].nunique())
    cast = cast.assign(corpus=[studies[person] for person in cast["person"]], wide=False)
    return with_persons(cast, rng, "S{:04d}")


def _write_npz(cast: pd.DataFrame, root: Path, seed: int) -> None:
    for row in records(cast):
        values, found = measured(row, seed, fps=_NPZ_FPS)
        kept = values[:, _KEPT].astype(np.float64 if row["wide"] else np.float32)
        path = root / row["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            path, allow_pickle=False, values=kept, valid=found, fps=np.float64(_NPZ_FPS), channels=_CHANNELS
        )
    columns = ("task", "corpus", "device", "sex", "age", "split")
    manifest_of(cast, columns=columns).to_csv(root / "manifest.csv", index=False)


CLINIC = Layout(
    name="manifest of OpenFace tables", fps=_CSV_FPS, scale="PHQ-9", source=None,
    draw=_clinic, named=in_files(".csv"), write=_write_csv,
)  # fmt: skip
JOINED = Layout(
    name="manifest of .npz series", fps=_NPZ_FPS, scale="BDI-II", source=None,
    draw=_joined, named=in_files(".npz"), write=_write_npz,
)  # fmt: skip
