"""OpenFace 2.x FeatureExtraction and FaceLandmarkVidMulti, E-DAIC and LMVD: 714 columns or fewer.

https://github.com/TadasBaltrusaitis/OpenFace/wiki/Output-Format. Groups of columns are there if they were
asked for; headers are separated by `, ` or `,`.
"""

from collections.abc import Sequence
from pathlib import Path

from datamodules.series import channel_schema
from datamodules.series.channel_schema import Column, au, points
from datamodules.series.formats.base import Format

INTENSITIES = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
PRESENCES = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45)
POSE = {
    "pose_Tx": "pose_x", "pose_Ty": "pose_y", "pose_Tz": "pose_z",
    "pose_Rx": "pose_pitch", "pose_Ry": "pose_yaw", "pose_Rz": "pose_roll",
}  # fmt: skip
GAZE = (*(f"gaze_{eye}_{axis}" for eye in (0, 1) for axis in "xyz"), "gaze_angle_x", "gaze_angle_y")

# All columns of a complete file, in its order.
ORDER = (
    *("frame", "face_id", "timestamp", "confidence", "success"),
    *GAZE,
    *points("eye_lmk_", "xy", channel_schema.EYE_POINTS),
    *points("eye_lmk_", "XYZ", channel_schema.EYE_POINTS),
    *POSE,
    *points("", "xy", channel_schema.FACE_POINTS),
    *points("", "XYZ", channel_schema.FACE_POINTS),
    *("p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty", *(f"p_{k}" for k in range(34))),
    *(f"AU{number:02d}_r" for number in INTENSITIES),
    *(f"AU{number:02d}_c" for number in PRESENCES),
)
ACTION_UNITS = {f"AU{number:02d}_r": Column(channel=au(number)) for number in channel_schema.AUS} | {
    f"AU{number:02d}_c": Column(channel=au(number, "present")) for number in channel_schema.AUS
}
_RENAMED = POSE | {"gaze_angle_x": "gaze_x", "gaze_angle_y": "gaze_y"}
COLUMNS = (
    {name: Column(channel=name) for name in ORDER[5:]}
    | ACTION_UNITS
    | {name: Column(channel=channel) for name, channel in _RENAMED.items()}
)
_UNMISTAKABLE = ACTION_UNITS.keys() | _RENAMED


def _recognises(path: Path, names: Sequence[str]) -> bool:
    known = COLUMNS if "confidence" in names else _UNMISTAKABLE  # others use the names of points, too
    return any(name in known for name in names)


OPENFACE = Format(name="OpenFace", recognises=_recognises, columns=COLUMNS)
