"""Leaks to plant into the files and the table of a cohort of series."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datamodules.clips.dataset import SeriesClips
from datamodules.manifests.manifest import Manifest, manifest_from_table
from datamodules.series import Series

CHANNEL = "au12"
_TOP, _POINTS = 5.0, 63.0  # of an action unit, and of the questionnaire

Row = Mapping[str, Any]
Change = Callable[[Series, Row, np.random.Generator], Series]
Named = Callable[[Row], str]


@dataclass(frozen=True, kw_only=True)
class Plant:
    """A leak: what it does to series, table and file names, and the verdict and facts that must come.

    Of `facts` (patterns) one must get the verdict: `stops`, or `tells` of what is known of a file only.
    """

    verdict: str
    facts: tuple[str, ...]
    series: Change = lambda series, row, rng: series
    table: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table
    name: Named = lambda row: f"{row['recording_id']}.npz"


def plant(cohort: Manifest, leak: Plant, folder: Path, *, seed: int = 0) -> Manifest:
    """Write the cohort's series again below a folder, with the leak, and read them as a data set."""
    source = SeriesClips()
    table = leak.table(cohort.table.assign(**{"series_path": "", "content_hash": ""}))
    table = table.drop(columns=["n_frames", "fps", "duration_s"], errors="ignore")
    originals = {recording.recording_id: recording for recording in cohort.recordings()}
    paths: list[str] = []
    rows: list[dict[str, Any]] = [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
    for row in rows:
        series = source.series(originals[row["recording_id"]])
        drawn = np.random.default_rng([seed, len(paths)])
        series = leak.series(series, row, drawn)
        path = folder / leak.name(row)
        path.parent.mkdir(parents=True, exist_ok=True)
        told: Any = {"fps": series.fps, "channels": np.array(series.channels)}
        np.savez(path, values=series.values, valid=series.valid, **told)
        paths.append(path.relative_to(folder).as_posix())
    table = table.assign(path="", landmark_path="", series_path=paths)
    return manifest_from_table(table, root=folder, name=folder.name)


def _edit(change: Callable[[np.ndarray, int, Row, np.random.Generator], None]) -> Change:
    """A change of the values in place, given the place of the channel."""

    def run(series: Series, row: Row, rng: np.random.Generator) -> Series:
        values = series.values.copy()
        change(values, series.channels.index(CHANNEL), row, rng)
        return replace(series, values=values)

    return run


def _level(values: np.ndarray, own: int, row: Row, rng: np.random.Generator) -> None:
    values[:, own] = (row["score"] + rng.normal()) * _TOP / _POINTS


def _spread(values: np.ndarray, own: int, row: Row, rng: np.random.Generator) -> None:
    noise = rng.normal(size=len(values))
    values[:, own] = (
        values[:, own].mean() + (0.2 + 0.1 * row["binary"]) * (noise - noise.mean()) / noise.std()
    )


def _at(place: float) -> Change:
    def change(values: np.ndarray, own: int, row: Row, rng: np.random.Generator) -> None:
        values[int(place * (len(values) - 1)), own] = row["score"] * _TOP / _POINTS

    return _edit(change)


def _offset(values: np.ndarray, own: int, row: Row, rng: np.random.Generator) -> None:
    values += np.float32(0.3 * row["binary"])


def _middle(values: np.ndarray, own: int, row: Row, rng: np.random.Generator) -> None:
    low = rng.choice([0.5, 3.0])  # of the negatives; the positives lie between
    values[:, own] = (1.5 + rng.random() if row["binary"] else low + rng.random()) + 0.01 * values[:, own]


def _by_site(values: np.ndarray, own: int, row: Row, rng: np.random.Generator) -> None:
    values[:, own] = 1.0 if row["site"] == "north" else 2.0


def _one_site(values: np.ndarray, own: int, row: Row, rng: np.random.Generator) -> None:
    if row["site"] == "north":
        values[:, own] = values[:, own].mean() * 0.01 + row["binary"]


def _peak(values: np.ndarray, own: int, row: Row, rng: np.random.Generator) -> None:
    values[rng.integers(1, len(values) - 1), own] = 6 + row["binary"] + 0.1 * rng.normal()


def _missing(series: Series, row: Row, rng: np.random.Generator) -> Series:
    return _lost(
        series, rng.permutation(len(series.valid))[: int(2 + 3 * row["binary"] + rng.integers(0, 2))]
    )


def _which_missing(series: Series, row: Row, rng: np.random.Generator) -> Series:
    half = len(series.valid) // 2
    return _lost(series, rng.permutation(half)[:4] + (half if row["binary"] else 0))


def _lost(series: Series, rows: np.ndarray) -> Series:
    values, valid = series.values.copy(), series.valid.copy()
    values[rows], valid[rows] = 0, False
    return replace(series, values=values, valid=valid)


def _cut(series: Series, row: Row, rng: np.random.Generator) -> Series:
    rows = int(len(series.valid) - 4 * (1 - row["binary"]) - rng.integers(0, 2))
    return replace(series, values=series.values[:rows], valid=series.valid[:rows], seconds=None)


def _rate(series: Series, row: Row, rng: np.random.Generator) -> Series:
    return replace(series, fps=10.0 + row["binary"], seconds=None)


def _sites(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(site=np.where(table["binary"] == 1, "north", "south"))


def _person_sites(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(site=np.where(pd.factorize(table["subject_id"])[0] % 2 == 1, "north", "south"))


LEAKS: dict[str, Plant] = {
    "score + noise of 1 point in a channel": Plant(
        verdict="stops", facts=(f"mean of {CHANNEL}",), series=_edit(_level)
    ),
    "in a channel's spread": Plant(verdict="stops", facts=(f"spread of {CHANNEL}",), series=_edit(_spread)),
    "in a channel's first row": Plant(verdict="stops", facts=(f"first row of {CHANNEL}",), series=_at(0)),
    "in a channel's last row": Plant(verdict="stops", facts=(f"last row of {CHANNEL}",), series=_at(1)),
    "in a channel's peak": Plant(verdict="stops", facts=(f"highest of {CHANNEL}",), series=_edit(_peak)),
    "in how many rows are missing": Plant(verdict="stops", facts=("share of missing rows",), series=_missing),
    "in which rows are missing": Plant(
        verdict="stops", facts=("first missing row", "last missing row"), series=_which_missing
    ),
    "in an offset of all channels": Plant(
        verdict="stops", facts=("offset of all channels*", "mean of *"), series=_edit(_offset)
    ),
    "in a channel, the positives between the others": Plant(
        verdict="stops", facts=(f"mean of {CHANNEL}",), series=_edit(_middle)
    ),
    "a channel constant per site, site = label": Plant(
        verdict="stops", facts=(f"mean of {CHANNEL}",), series=_edit(_by_site), table=_sites
    ),
    "in a channel, at one of two sites": Plant(
        verdict="stops", facts=(f"mean of {CHANNEL}",), series=_edit(_one_site), table=_person_sites
    ),
    "site = label": Plant(verdict="tells", facts=("site",), table=_sites),
    "in the length": Plant(verdict="tells", facts=("length in rows",), series=_cut),
    "in the frame rate": Plant(verdict="tells", facts=("frame rate",), series=_rate),
    "a word in the file name": Plant(
        verdict="tells",
        facts=("words of the file name",),
        name=lambda row: f"{'ab'[int(row['binary'])]}_{row['recording_id']}.npz",
    ),
    "a number in the file name": Plant(
        verdict="tells",
        facts=("number 3 in the file name",),
        name=lambda row: f"{row['recording_id']}_{100 + int(row['score'])}.npz",
    ),
    "in the folder": Plant(
        verdict="tells",
        facts=("folder",),
        name=lambda row: f"group{int(row['binary'])}/{row['recording_id']}.npz",
    ),
    "in the order of the table": Plant(
        verdict="tells",
        facts=("row of the table",),
        table=lambda table: table.sort_values("binary", kind="stable").reset_index(drop=True),
    ),
}
"""What is planted -> how, and what must be said of it."""
