"""A second person before the camera of a recording: other proportions at another place."""

from functools import partial

import numpy as np
import pandas as pd

from studies.xray.faces import draw_face
from studies.xray.layouts.files import records
from studies.xray.layouts.landmarks import DVLOG, LAB, LAB_FPS, POINTS, VLOG_FPS, points_of
from studies.xray.layouts.layout import Tree
from studies.xray.plants.edit import edit_rows, edit_table, with_digits
from studies.xray.plants.plant import Plant, chosen, names_of

_ASIDE = np.array([140.0, 25.0])  # pixels from the usual place


def _other_points(tree: Tree, row: dict[str, object], rng: np.random.Generator, fps: float) -> np.ndarray:
    """Landmarks `(T, 68, 2)` of somebody who is nobody of the cast."""
    points = points_of(draw_face(rng), row, int(rng.integers(2**31)), fps)
    return np.asarray(points + _ASIDE)


def _taken_over(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = chosen(tree.cast, rng, 3)
    for row in records(rows):
        points = _other_points(tree, row, rng, LAB_FPS)
        flat = np.hstack([points[..., 0], points[..., 1]])
        edit_table(tree.root / row["file"], partial(_second_half, points=flat))
    return names_of(rows)


def _second_half(table: pd.DataFrame, points: np.ndarray) -> pd.DataFrame:
    half, out = len(table) // 2, table.copy()
    shown = np.flatnonzero((table["success"] == "1") & (table.index >= half))
    for place, name in enumerate(POINTS):
        out.loc[shown, name] = with_digits(table[name], points[shown, place])
    return out


def _guest(tree: Tree, rng: np.random.Generator) -> list[str]:
    rows = chosen(tree.cast[tree.cast["seconds"] > 60], rng, 3)
    for row in records(rows):
        points = _other_points(tree, row, rng, VLOG_FPS)

        def change(values: np.ndarray, points: np.ndarray = points) -> np.ndarray:
            out, third = values.copy(), len(values) // 3
            own = np.flatnonzero(values[third : third + len(values) // 3].any(axis=1)) + third
            out[own] = points.reshape(len(points), -1)[own]
            return out

        edit_rows(tree.root / row["file"], change)
    return names_of(rows)


PLANTS = (
    Plant(
        kind="two_persons",
        what="another face takes over at half time in three recordings",
        layout=LAB,
        files=_taken_over,
    ),
    Plant(
        kind="two_persons",
        what="a guest is seen in the middle third of three vlogs",
        layout=DVLOG,
        files=_guest,
    ),
)
