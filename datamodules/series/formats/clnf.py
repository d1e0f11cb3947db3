"""CLNF files of DAIC-WOZ (OpenFace 0.x): a session's channels in sibling files, one row per frame.

`300_CLNF_AUs.txt` (or `.csv`) stands for itself and its siblings `gaze` and `pose`, and for `features` (2-D
landmarks) and `features3D` where channels ask for them. Any other of the files stands for itself.
"""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.series import table as tables
from datamodules.series.channel_schema import FACE_POINTS, Column
from datamodules.series.formats.base import Format
from datamodules.series.formats.openface import ACTION_UNITS
from datamodules.series.series import UnreadableSeries
from datamodules.series.table import numbers

_FILE = re.compile(r"(?P<session>.+)_CLNF_(?P<part>AUs|gaze|pose|features|features3D)\.(txt|csv)")
_ALWAYS, _LARGE = ("AUs", "gaze", "pose"), ("features", "features3D")
_TRACKING = ("frame", "timestamp", "confidence", "success")
_POSE = {
    "Tx": "pose_x", "Ty": "pose_y", "Tz": "pose_z", "X": "pose_x", "Y": "pose_y", "Z": "pose_z",
    "Rx": "pose_pitch", "Ry": "pose_yaw", "Rz": "pose_roll",
}  # fmt: skip
_GAZE = {
    f"{axis}_{frame}{eye}": f"gaze_{'head_' if frame else ''}{eye}_{axis}"
    for frame in ("", "h")
    for eye in (0, 1)
    for axis in "xyz"
}
_VECTORS = ("x_0", "y_0", "z_0", "x_1", "y_1", "z_1")
_ANGLES = {"gaze_angle_x": "x", "gaze_angle_y": "y"}  # these files have no angles; the vectors give them
_LANDMARKS = {f"{axis}{k}": f"{axis}_{k}" for axis in "xyXYZ" for k in range(FACE_POINTS)}
COLUMNS = ACTION_UNITS | {
    name: Column(channel=channel)
    for name, channel in (
        _POSE | _GAZE | _LANDMARKS | {name: f"gaze_{axis}" for name, axis in _ANGLES.items()}
    ).items()
}


def _recognises(path: Path, names: Sequence[str]) -> bool:
    return bool(_FILE.fullmatch(path.name)) and {"frame", "timestamp"} <= set(names)


def session_files(path: Path) -> tuple[Path, ...]:
    """The file, and behind one of action units those of its siblings that are there."""
    match = _FILE.fullmatch(path.name)
    if match is None or match["part"] != "AUs":
        return (path,)
    found = [path]
    for part in (*_ALWAYS[1:], *_LARGE):
        names = [path.with_name(f"{match['session']}_CLNF_{part}{suffix}") for suffix in (".txt", ".csv")]
        found += [name for name in names if name.is_file()][:1]
    return tuple(found)


def _header(path: Path) -> tuple[str, ...]:
    """Columns of what is always read; those of the large files count only where they are asked for."""
    found = dict.fromkeys(name for file in session_files(path) for name in tables.header(file))
    angles = _ANGLES if found.keys() >= set(_VECTORS) else {}
    return tuple(dict.fromkeys([*found, *angles]))


def _load(path: Path, columns: Collection[str]) -> pd.DataFrame:
    angles = [name for name in _ANGLES if name in columns]
    read = {*columns, *(_VECTORS if angles else ())}
    merged = tables.load(path, read)
    for file in session_files(path)[1:]:
        wanted = read & (set(tables.header(file)) - set(_TRACKING))
        if wanted or not _is_large(file):
            merged = _joined(merged, tables.load(file, {*wanted, *_TRACKING}), path, file)
    return merged.assign(**{name: _angle(merged, _ANGLES[name], path) for name in angles})


def _angle(table: pd.DataFrame, axis: str, path: Path) -> np.ndarray:
    """OpenFace 2's gaze angle: atan2(mean of both eyes, minus their mean z)."""
    side, depth = (sum(numbers(table, f"{name}_{eye}", path) for eye in (0, 1)) / 2 for name in (axis, "z"))
    return np.arctan2(side, -depth)


def _joined(left: pd.DataFrame, right: pd.DataFrame, path: Path, file: Path) -> pd.DataFrame:
    if len(left) != len(right) or not np.array_equal(
        numbers(left, "frame", path), numbers(right, "frame", file)
    ):
        raise UnreadableSeries(
            f"{path} has {len(left)} frames and {file} has {len(right)}, or they number them differently; "
            "unpack both files of the session again"
        )
    both = left.join(right.drop(columns=list(_TRACKING)))
    for name in ("confidence", "success"):
        both[name] = np.fmin(numbers(left, name, path), numbers(right, name, file))
    return both


def _is_large(file: Path) -> bool:
    match = _FILE.fullmatch(file.name)
    return match is not None and match["part"] in _LARGE


def _only_when_named(path: Path) -> frozenset[str]:
    """Columns of the landmark files beside a file: too many to be read unless channels name them."""
    large = [tables.header(file) for file in session_files(path)[1:] if _is_large(file)]
    return frozenset(name for names in large for name in names) - set(_TRACKING)


CLNF = Format(
    name="CLNF",
    recognises=_recognises,
    columns=COLUMNS,
    header=_header,
    load=_load,
    only_when_named=_only_when_named,
)
