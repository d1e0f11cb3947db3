"""Time stamps in other units, rates that are not what is stated, that change, or that differ by site."""

import numpy as np
import pandas as pd

from studies.xray.layouts.layout import Tree
from studies.xray.layouts.manifests import CLINIC
from studies.xray.layouts.openface_folders import EDAIC, FOLDER
from studies.xray.layouts.sets import PUPILS, SETS
from studies.xray.plants.edit import edit_arrays, edit_table
from studies.xray.plants.plant import Plant, chosen, names_of

_TRUE, _HALF = 25.0, 2


def _smallest(cast: pd.DataFrame) -> pd.DataFrame:
    site = cast["site"].value_counts().index[-1]
    return pd.DataFrame(cast[cast["site"] == site])


def _seconds(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = _smallest(tree.cast)
    columns = [f"features_{name}" for name in SETS]
    for file in [file for column in columns for file in rows[column]]:
        edit_arrays(
            tree.root / file, lambda arrays: arrays | {"timestamps_ms": arrays["timestamps_ms"] / 1000}
        )
    return [*names_of(rows, *columns), "timestamps_ms"]


def _wrongly_stated(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = _smallest(tree.cast)
    for file in rows["file"]:
        edit_table(
            tree.root / file,
            lambda table: table.assign(timestamp=[f"{row / _TRUE:.3f}" for row in range(len(table))]),
        )
    return [*names_of(rows), "fps"]


def _slower_from_half(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = chosen(tree.cast, rng, 3)
    for file in rows["file"]:
        edit_table(tree.root / file, _slowed)
    return names_of(rows)


def _slowed(table: pd.DataFrame) -> pd.DataFrame:
    steps = np.full(len(table), 1 / FOLDER.fps)
    steps[len(table) // 2 :] *= _HALF
    times = np.cumsum(steps) - steps[0]
    return table.assign(timestamp=[f"{time:.3f}" for time in times])


def _fewer_rows(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = tree.cast[tree.cast["site"] == "ai"]
    for file in rows["file"]:
        edit_table(tree.root / file, _every_second)
    return [*names_of(rows), "fps"]


def _every_second(table: pd.DataFrame) -> pd.DataFrame:
    out = table.iloc[::_HALF].reset_index(drop=True)
    return out.assign(
        frame=[str(number) for number in range(1, len(out) + 1)],
        timestamp=[f"{row * _HALF / EDAIC.fps:.3f}" for row in range(len(out))],
    )


PLANTS = (
    Plant(
        kind="time_base",
        what="`timestamps_ms` holds seconds in all sets of one school",
        layout=PUPILS,
        files=_seconds,
    ),
    Plant(
        kind="time_base",
        what="one hospital recorded 25 frames/s, and the table says 30",
        layout=CLINIC,
        files=_wrongly_stated,
    ),
    Plant(
        kind="time_base",
        what="three recordings go on at 15 frames/s from half time on",
        layout=FOLDER,
        files=_slower_from_half,
    ),
    Plant(
        kind="time_base",
        what="the interviews by a program have 15 rows/s, the others 30",
        layout=EDAIC,
        files=_fewer_rows,
    ),
)
