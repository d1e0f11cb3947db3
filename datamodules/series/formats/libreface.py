"""LibreFace 2.0 video tables: angles in degrees, frames without a face left out, a clock under a wrong name.

https://github.com/ihp-lab/LibreFace. `frame_time_in_ms` holds seconds where the video was read with ffmpeg
(frame number / rate) and milliseconds elsewhere. The median step decides: only one of the two readings is a
rate that cameras have, 1 to 240 frames/s (our choice).
"""

from math import pi
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.series.channel_schema import AUS, MESH_POINTS, Column, au
from datamodules.series.formats.base import Format
from datamodules.series.series import UnreadableSeries
from datamodules.series.table import numbers
from datamodules.series.timebase import FASTEST, SLOWEST, Timeline, timeline

_ANGLES = {
    "pitch": "pose_pitch", "yaw": "pose_yaw", "roll": "pose_roll",
    "gaze_yaw": "gaze_x", "gaze_pitch": "gaze_y",
}  # fmt: skip
COLUMNS = (
    {name: Column(channel=channel, factor=pi / 180) for name, channel in _ANGLES.items()}
    | {f"au_{number}": Column(channel=au(number, "present")) for number in AUS}
    | {f"au_{number}_intensity": Column(channel=au(number)) for number in AUS}
    | {
        f"lm_mp_{k}_{axis}": Column(channel=f"mesh_rel_{axis}_{k}")
        for k in range(MESH_POINTS)
        for axis in "xyz"
    }
)


def _timeline(table: pd.DataFrame, path: Path, fps: float | None) -> Timeline:
    frames = numbers(table, "frame_idx", path)
    times = numbers(table, "frame_time_in_ms", path)
    return timeline(path, len(table), frames=frames, first=0, seconds=_seconds(times, frames, path), fps=fps)


def _seconds(times: np.ndarray, frames: np.ndarray, path: Path) -> np.ndarray | None:
    if len(times) < 2:
        return None
    step = float(np.median(np.diff(times) / np.maximum(np.diff(frames), 1)))
    for factor in (1.0, 1e-3):
        if 1 / FASTEST <= step * factor <= 1 / SLOWEST:
            return times * factor
    if not times.any():
        return None
    raise UnreadableSeries(
        f"{path}: 'frame_time_in_ms' steps by {step:g} a frame, which is a frame rate neither in seconds nor "
        "in milliseconds; correct the column"
    )


LIBREFACE = Format(
    name="LibreFace",
    recognises=lambda _, names: {"frame_idx", "frame_time_in_ms"} <= set(names),
    columns=COLUMNS,
    timeline=_timeline,
    valid=lambda table, _: np.ones(len(table), dtype=bool),  # rows without a face were never written
    rows=lambda table, *_: table,
    skipped=frozenset({"frame_idx", "frame_time_in_ms", "facial_expression"}),
)
