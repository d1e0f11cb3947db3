"""py-feat's Fex tables (Detector, Detectorv2, MPDetector): action units are probabilities, never intensities.

https://py-feat.org. Head angles are in degrees, gaze angles in radians. `approx_time` counts whole seconds,
so time is frame / frame rate of the video, which the file does not tell. A frame without a face is a row of
score 0; a frame with several faces has a row for each. Identity embeddings are no channels: they are the
person.
"""

from dataclasses import replace
from math import pi
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.series.channel_schema import (
    AUS,
    BLENDSHAPES,
    EMOTIONS,
    FACE_POINTS,
    MESH_POINTS,
    Column,
    au,
    points,
)
from datamodules.series.formats.base import Format, most_present
from datamodules.series.series import UnreadableSeries
from datamodules.series.table import numbers
from datamodules.series.timebase import Timeline, timeline

_V2_EMOTIONS = {"Happy": "happiness", "Sad": "sadness"} | {
    name.capitalize(): name for name in EMOTIONS if name not in ("happiness", "sadness")
}
_SHARED = (
    {f"AU{number:02d}": Column(channel=au(number, "probability")) for number in AUS}
    | {name: Column(channel=f"emotion_{name}") for name in EMOTIONS}
    | {name: Column(channel=f"emotion_{emotion}") for name, emotion in _V2_EMOTIONS.items()}
    | {
        name.capitalize(): Column(channel=f"pose_{name}", factor=pi / 180)
        for name in ("pitch", "yaw", "roll")
    }
    | {"gaze_yaw": Column(channel="gaze_x"), "gaze_pitch": Column(channel="gaze_y")}
    | {name: Column(channel=name) for name in ("valence", "arousal", *BLENDSHAPES)}
    | {name: Column(channel=name) for name in points("mesh_", "xyz", MESH_POINTS)}
)
COLUMNS = _SHARED | {name: Column(channel=name) for name in points("", "xy", FACE_POINTS)}
MESH_COLUMNS = _SHARED | {
    name: Column(channel=f"mesh_{name}") for name in points("", "xyz", MESH_POINTS)
}  # MPDetector


_MARKS = {"FaceRectX", "FaceScore", "frame"}


def _timeline(table: pd.DataFrame, path: Path, fps: float | None) -> Timeline:
    return timeline(path, len(table), frames=numbers(table, "frame", path), first=0, fps=fps)


def _has_face(table: pd.DataFrame, path: Path) -> np.ndarray:
    return numbers(table, "FaceScore", path) > 0


def _one_face(table: pd.DataFrame, path: Path, notes: list[str]) -> pd.DataFrame:
    if not table["frame"].duplicated().any():
        return table
    if "Identity" not in table:
        frame = table["frame"][table["frame"].duplicated()].iloc[0]
        raise UnreadableSeries(
            f"{path}: frame {frame} shows several faces and no column 'Identity' tells them apart; keep the "
            "rows of the person you mean"
        )
    return most_present(table, "Identity", _has_face(table, path), path, notes)


PYFEAT = Format(
    name="py-feat",
    recognises=lambda _, names: set(names) >= _MARKS,
    columns=COLUMNS,
    timeline=_timeline,
    valid=_has_face,
    rows=_one_face,
    skipped=frozenset({"frame", "approx_time", "input", "FaceScore", "Identity"}),
    is_skipped=lambda name: name.startswith("Identity_"),
)
PYFEAT_MESH = replace(
    PYFEAT,
    name="py-feat MPDetector",
    recognises=lambda _, names: set(names) >= _MARKS | {f"z_{FACE_POINTS}"},
    columns=MESH_COLUMNS,
)
