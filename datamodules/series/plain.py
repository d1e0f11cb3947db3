"""Our own files: `.npz` with `values`, `channels`, optional `fps`, `valid`; tables with a column a channel.

Tables may have `timestamp` (seconds), `frame`, `valid`, and OpenFace's `success`, `confidence` and `face_id`;
none of them is a channel. A valid row must be complete.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.series.format import TRACKING, Format, tracked
from datamodules.series.series import Series
from datamodules.series.table import numbers
from datamodules.series.timebase import Timeline, timeline


def load_npz(path: Path, fps: float | None) -> Series:
    """Read an archive; `fps` is the rate where it tells none."""
    with np.load(path, allow_pickle=False) as archive:
        values = np.asarray(archive["values"], dtype=np.float32)
        valid = archive["valid"].astype(bool) if "valid" in archive else np.ones(len(values), dtype=bool)
        own = float(archive["fps"]) if "fps" in archive else fps
        return Series(
            values=values,
            channels=tuple(str(name) for name in archive["channels"]),
            valid=valid,
            fps=own,
            seconds=np.arange(len(values)) / own if own else None,
        )


def _timeline(table: pd.DataFrame, path: Path, fps: float | None) -> Timeline:
    return timeline(
        path,
        len(table),
        frames=numbers(table, "frame", path) if "frame" in table else None,
        seconds=numbers(table, "timestamp", path) if "timestamp" in table else None,
        fps=fps,
    )


def _valid(table: pd.DataFrame, path: Path) -> np.ndarray:
    valid = tracked(table, path)
    if "valid" in table:
        valid &= numbers(table, "valid", path) > 0
    return valid


PLAIN = Format(
    name="table",
    recognises=lambda path, _: path.suffix != ".txt",
    columns={},
    timeline=_timeline,
    valid=_valid,
    skipped=TRACKING | {"valid"},
    strict=True,
)
