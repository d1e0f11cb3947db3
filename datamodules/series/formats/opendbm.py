"""OpenDBM's raw exports: OpenFace's measurements under other names, some of them without any time.

https://github.com/AiCure/open_dbm, `dbm_features/raw_features`. Head angles are OpenFace's, in radians; the
eyes are its gaze vectors. Exports of eye blinks have a row a blink and are no series.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.series.channel_schema import AUS, Column, au
from datamodules.series.checks.counter_columns import TRACKING
from datamodules.series.formats.base import CONFIDENCE, Format, confidences, counted_from, one_face, tracked
from datamodules.series.formats.openface import ACTION_UNITS
from datamodules.series.series import UnreadableSeries
from datamodules.series.table import numbers
from datamodules.series.timebase import Timeline

_RENAMED = {f"mov_hpose{angle}": f"pose_{angle}" for angle in ("pitch", "yaw", "roll")} | {
    f"mov_{side}eye{axis}": f"gaze_{eye}_{axis}"
    for eye, side in enumerate(("left", "right"))
    for axis in "xyz"
}
COLUMNS = (
    ACTION_UNITS
    | {f"fac_AU{number:02d}int": Column(channel=au(number)) for number in AUS}
    | {f"fac_AU{number:02d}pres": Column(channel=au(number, "present")) for number in AUS}
    | {name: Column(channel=channel) for name, channel in _RENAMED.items()}
)


def _rows(table: pd.DataFrame, path: Path, notes: list[str]) -> pd.DataFrame:
    """Rows of one face in the order of time: the export of landmarks counts the frames down."""
    if "mov_blinkframes" in table:
        raise UnreadableSeries(f"{path}: a row of this export is a blink and not a frame; use another export")
    table = one_face(table, path, notes)
    if "frame" in table and (np.diff(numbers(table, "frame", path)) < 0).all():
        table = table.iloc[::-1].reset_index(drop=True)
    return table


def _timeline(table: pd.DataFrame, path: Path, fps: float | None) -> Timeline:
    place = counted_from(0, "Frames") if "Frames" in table else counted_from(1)
    return place(table, path, fps)


def _valid(table: pd.DataFrame, path: Path) -> np.ndarray:
    valid = tracked(table, path)
    if "s_confidence" in table:
        valid &= confidences(table, "s_confidence", path) >= CONFIDENCE
    return valid


OPENDBM = Format(
    name="OpenDBM",
    recognises=lambda _, names: any(name.startswith(("fac_", "mov_")) for name in names),
    columns=COLUMNS,
    timeline=_timeline,
    valid=_valid,
    rows=_rows,
    skipped=TRACKING | {"Frames", "s_confidence", "error_reason", "dbm_master_url", "mov_blinkframes"},
)
