"""Files of series: tables as OpenFace writes them, and manifests over a cast."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from studies.xray.behavior import COLUMNS, Row, measured
from studies.xray.cast import TRAITS

_STATED = ("frame", "timestamp", "confidence", "success")
_FORMATS = ("%d", "%.3f", "%.2f", "%d")
_ENDS = {"gaze_angle": "%.3f", "gaze": "%.6f", "pose_T": "%.1f", "pose_R": "%.3f", "AU": "%.2f", "": "%.1f"}


def write_openface(
    path: Path,
    values: np.ndarray,
    found: np.ndarray,
    *,
    fps: float,
    rng: np.random.Generator,
    columns: Sequence[str] = COLUMNS,
    between: str = ",",
) -> None:
    """Write a table with OpenFace's columns and number of digits.

    Args:
        path: File; its folder is made.
        values: Measurements `(T, C)`.
        found: Rows with a face `(T,)`.
        fps: Rows per second, from which `timestamp` follows.
        rng: For the confidence.
        columns: Names of the columns `(C,)`.
        between: What separates cells; OpenFace 2.1 writes a comma and a blank.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.arange(len(values))
    confidence = np.where(found, 0.98 - np.abs(rng.normal(0, 0.02, len(rows))).clip(0, 0.1), 0.02)
    told = np.column_stack([rows + 1, rows / fps, confidence, found])
    formats = [
        *_FORMATS,
        *(next(form for start, form in _ENDS.items() if n.startswith(start)) for n in columns),
    ]
    header = between.join([*_STATED, *columns])
    np.savetxt(path, np.hstack([told, values]), fmt=formats, delimiter=between, header=header, comments="")


def write_behavior(path: Path, row: Row, seed: int, *, fps: float, between: str = ",") -> None:
    """Write the 49 columns of one recording."""
    values, found = measured(row, seed, fps=fps)
    rng = np.random.default_rng([seed, 4, int(row["key"])])
    write_openface(path, values, found, fps=fps, rng=rng, between=between)


def records(cast: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as dicts."""
    return [{str(name): cell for name, cell in row.items()} for row in cast.to_dict("records")]


def manifest_of(cast: pd.DataFrame, *, columns: Sequence[str] = ()) -> pd.DataFrame:
    """The table of a manifest over a named cast, of series.

    Args:
        cast: With `recording_id`, `file` and `subject`.
        columns: Of the cast, to be kept under their own names.
    """
    table = pd.DataFrame(
        {
            "recording_id": cast["recording_id"],
            "subject_id": cast["subject"],
            "session_id": "v" + cast["visit"].astype(str),
            "path": "",
            "series_path": cast["file"],
            "scale": cast["scale"],
            "score": cast["score"],
        }
    )
    return table.join(cast[list(columns)])


TRAIT_COLUMNS = tuple(f"trait_{name}" for name in TRAITS)
