"""Files without content, arrays and channels that do not move, trackers that stand still."""

import numpy as np
import pandas as pd

from studies.xray.layouts.landmarks import MPDD
from studies.xray.layouts.layout import Tree
from studies.xray.layouts.manifests import CLINIC, JOINED
from studies.xray.layouts.openface_folders import EDAIC
from studies.xray.layouts.sets import PUPILS
from studies.xray.plants.edit import edit_arrays, edit_rows, edit_table
from studies.xray.plants.plant import Plant, chosen, names_of

_DEAD = "AU12_r"


def _empty_test_file(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = chosen(tree.cast[tree.cast["part"] == "Testing"], rng, 1)
    (tree.root / rows["file"].iloc[0]).write_bytes(b"")
    return names_of(rows)


def _empty_set(tree: Tree, rng: np.random.Generator) -> list[str]:
    persons = chosen(tree.cast, rng, 2)["person"]
    rows = tree.cast[tree.cast["person"].isin(persons)]
    for file in rows["features_dinov2"]:
        (tree.root / file).write_bytes(b"")
    return names_of(rows, "features_dinov2")


def _zeros(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = chosen(tree.cast, rng, 5)
    for file in rows["features_dinov2"]:
        edit_arrays(
            tree.root / file,
            lambda arrays: (
                arrays
                | {
                    "features": np.zeros_like(arrays["features"]),
                    "valid_mask": np.ones_like(arrays["valid_mask"]),
                }
            ),
        )
    return names_of(rows, "features_dinov2")


def _same_rows(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = chosen(tree.cast[tree.cast["part"] == "Training"], rng, 3)
    for file in rows["file"]:
        edit_rows(tree.root / file, lambda values: np.tile(values[values.any(axis=1)][0], (len(values), 1)))
    return names_of(rows)


def _dead_channel(tree: Tree, rng: np.random.Generator) -> list[str]:
    site = tree.cast["site"].value_counts().index[-1]
    rows = tree.cast[tree.cast["site"] == site]
    for file in rows["file"]:
        edit_table(tree.root / file, lambda table: table.assign(**{_DEAD: "0.00"}))
    return [*names_of(rows), _DEAD, "au12"]


def _frozen_tracker(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = chosen(tree.cast, rng, 1)
    edit_arrays(tree.root / rows["file"].iloc[0], _still)
    return names_of(rows)


def _still(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """40 % of a recording are one row of it, and marked as measured."""
    values, valid = arrays["values"].copy(), arrays["valid"].copy()
    first = int(0.3 * len(values)) + int(np.argmax(valid[int(0.3 * len(values)) :]))
    values[first : first + int(0.4 * len(values))] = values[first]
    valid[first : first + int(0.4 * len(values))] = True
    return arrays | {"values": values, "valid": valid}


def _frozen_tables(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = chosen(tree.cast, rng, 3)
    for file in rows["file"]:
        edit_table(tree.root / file, _stuck)
    return names_of(rows)


def _stuck(table: pd.DataFrame) -> pd.DataFrame:
    """All cells but number and time stay those of one row for the last 35 % of the interview."""
    first = int(0.65 * len(table))
    while table["success"].iloc[first] != "1":
        first -= 1
    out = table.copy()
    cells = [name for name in map(str, table) if name not in ("frame", "timestamp")]
    for name in cells:
        out.loc[first:, name] = table[name].iloc[first]
    return out


PLANTS = (
    Plant(
        kind="zero_bytes", what="one file of the test part has 0 bytes", layout=MPDD, files=_empty_test_file
    ),
    Plant(
        kind="zero_bytes",
        what="the embeddings of two pupils have 0 bytes, their other files are whole",
        layout=PUPILS,
        files=_empty_set,
    ),
    Plant(
        kind="constant",
        what="embeddings of five recordings are 0 throughout, `valid_mask` true throughout",
        layout=PUPILS,
        files=_zeros,
    ),
    Plant(
        kind="constant",
        what="three arrays of the training part repeat one row from start to end",
        layout=MPDD,
        files=_same_rows,
    ),
    Plant(
        kind="constant",
        what=f"{_DEAD} is 0 in all recordings of one hospital",
        layout=CLINIC,
        files=_dead_channel,
    ),
    Plant(
        kind="frozen",
        what="the tracker stands still for 40 % of one recording",
        layout=JOINED,
        files=_frozen_tracker,
    ),
    Plant(
        kind="frozen",
        what="the last 35 % of three interviews are one row, with `success` 1",
        layout=EDAIC,
        files=_frozen_tables,
    ),
)
