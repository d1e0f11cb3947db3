"""Recordings that are there twice, and rows that are there twice in a recording."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from studies.xray.layouts.layout import Tree
from studies.xray.layouts.manifests import CLINIC
from studies.xray.layouts.openface_folders import CMDC, LMVD
from studies.xray.layouts.sets import FPS, PUPILS
from studies.xray.plants.edit import edit_rows, edit_table, measured_columns, with_digits
from studies.xray.plants.plant import Plant, chosen, names_of

Values = Callable[[np.ndarray], np.ndarray]
_COARSE = 1  # decimals that the copy has less
_CUT, _GAIN, _NOISE = 25, 1.02, 0.01  # rows, factor and standard deviation of another upload of a vlog
_TILE, _BLOCK = 5.0, 4.0  # s


def _saved_again(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = chosen(tree.cast, rng, 2)
    source, target = (tree.root / file for file in rows["file"])
    target.write_bytes(source.read_bytes())
    edit_table(target, _rounded)
    return names_of(rows)


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in measured_columns(table) if not name.endswith("_c")]
    return table.assign(
        **{name: with_digits(table[name], table[name].astype(float).to_numpy(), _COARSE) for name in names}
    )


def _another_upload(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = chosen(tree.cast[tree.cast["seconds"] > 12], rng, 2)
    source, target = (tree.root / file for file in rows["file"])
    target.write_bytes(source.read_bytes())

    def change(values: np.ndarray) -> np.ndarray:
        later = values[_CUT:]
        new = later * _GAIN + rng.normal(0, _NOISE, later.shape) * values.std(axis=0)
        steps = np.isin(later, (0, 1)).all(axis=0)  # presences stay 0 and 1
        return np.where(steps | ~later.any(axis=1, keepdims=True), later, np.where(later == 0, 0, new))

    edit_table(target, lambda table: _beginning_anew(table, change))
    return names_of(rows)


def _beginning_anew(table: pd.DataFrame, change: Values) -> pd.DataFrame:
    """The table without its first rows, numbers and times counted from its new beginning."""
    later = table.iloc[_CUT:].reset_index(drop=True)
    names = measured_columns(table)
    new = change(table[names].to_numpy(dtype=np.float64))
    columns = {name: with_digits(table[name], new[:, place]) for place, name in enumerate(names)}
    own = {name: table[name].iloc[: len(later)].to_numpy() for name in ("frame", "timestamp")}
    return later.assign(**columns, **own)


def _tiled(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = chosen(tree.cast[tree.cast["seconds"] > 2 * _TILE], rng, 4)
    piece = int(_TILE * FPS)
    for file in rows["features_dinov2"]:
        edit_rows(tree.root / file, lambda values: np.resize(values[:piece], values.shape))
    return names_of(rows, "features_dinov2")


def _pasted(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = chosen(tree.cast[tree.cast["seconds"] > 2.6 * _BLOCK], rng, 2)
    for file in rows["file"]:
        edit_table(tree.root / file, _with_a_block_twice)
    return names_of(rows)


def _with_a_block_twice(table: pd.DataFrame) -> pd.DataFrame:
    size, out = int(_BLOCK * CMDC.fps), table.copy()
    cells = [name for name in map(str, table) if name not in ("frame", "timestamp")]
    start = len(table) - size - 10
    out.loc[start : start + size - 1, cells] = table.loc[10 : 10 + size - 1, cells].to_numpy()
    return out


PLANTS = (
    Plant(
        kind="repeated",
        what="a recording is saved again under another person, with a decimal less",
        layout=CLINIC,
        files=_saved_again,
    ),
    Plant(
        kind="repeated",
        what=f"a vlog is there twice: without its first {_CUT} rows, times {_GAIN}, with noise of 1 %",
        layout=LMVD,
        files=_another_upload,
    ),
    Plant(
        kind="repeated",
        what="a loader tiled the first 5 s of the embeddings of four recordings to their length",
        layout=PUPILS,
        files=_tiled,
    ),
    Plant(
        kind="repeated",
        what="4 s of two answers come again later in the same answer",
        layout=CMDC,
        files=_pasted,
    ),
)
