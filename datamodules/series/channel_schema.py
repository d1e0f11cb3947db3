"""Schema of channels: canonical name, unit and range, independent of the program that measured them.

Signs of angles and axes are those of the extractor: OpenFace counts a lowered gaze positive, others negative,
so series of two extractors belong into one training set only after a look at both.
"""

from dataclasses import dataclass
from typing import Literal

AUS = (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 27, 28, 43, 45)
# The largest set whose intensity OpenFace 2, DAIC-WOZ and LibreFace all state; py-feat has the same twelve as
# probabilities.
COMMON_AUS = ("au01", "au02", "au04", "au05", "au06", "au09", "au12", "au15", "au17", "au20", "au25", "au26")
_OPENDBM_EXPRESSIONS = ("hap", "sad", "sur", "fea", "ang", "dis", "con")
EMOTIONS = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
# In the order of Face Landmarker's model card.
BLENDSHAPES = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft",
    "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight",
    "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight",
    "mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
# Units whose proxies follow known movements in some landmarks, see `preprocessing.series`.
PROXY_AUS = (1, 2, 10, 12, 15, 20, 24, 26, 45)
_ANGLES = ("pose_pitch", "pose_yaw", "pose_roll", "gaze_x", "gaze_y", "gaze_head_x", "gaze_head_y")
_SPEEDS = ("speed_head", "speed_brows", "speed_lids", "speed_mouth")
FACE_POINTS, EYE_POINTS, MESH_POINTS = 68, 56, 478
_PI = 3.1416


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A canonical channel; `low` and `high` bound what can be measured, None is no bound.

    `kind` tells how it may be resampled: a presence is 0 or 1 and never in between.
    """

    name: str
    group: str
    unit: str
    low: float | None = None
    high: float | None = None
    kind: Literal["continuous", "presence"] = "continuous"


@dataclass(frozen=True, kw_only=True)
class Column:
    """What a column of a file holds: a canonical channel, times a factor."""

    channel: str
    factor: float = 1.0


def au(number: int, kind: str = "") -> str:
    """Name of an action unit: intensity, or `kind` present or probability.

    Examples:
        >>> au(1), au(12, "present")
        ('au01', 'au12_present')
    """
    return f"au{number:02d}{'_' if kind else ''}{kind}"


def au_proxy(number: int, kind: str = "") -> str:
    """Name of the proxy of an action unit, or of its kind `rel`, relative to the person's own neutral.

    Examples:
        >>> au_proxy(1), au_proxy(12, "rel")
        ('au_proxy_01', 'au_proxy_12_rel')
    """
    return f"au_proxy_{number:02d}{'_' if kind else ''}{kind}"


def points(prefix: str, axes: str, count: int) -> list[str]:
    """Names of points as extractors order them: all of one axis, then the next.

    Examples:
        >>> points("", "xy", 2)
        ['x_0', 'x_1', 'y_0', 'y_1']
    """
    return [f"{prefix}{axis}_{number}" for axis in axes for number in range(count)]


def _channels() -> list[Channel]:
    def many(names: list[str], group: str, unit: str, *limits: float) -> list[Channel]:
        low, high = limits or (None, None)
        return [Channel(name=name, group=group, unit=unit, low=low, high=high) for name in names]

    present = {au(number, "present"): "au_present" for number in AUS}
    present |= {f"fac_{name}pres": "expression_present" for name in _OPENDBM_EXPRESSIONS}
    eyes = [f"gaze_{where}{eye}_{axis}" for where in ("", "head_") for eye in (0, 1) for axis in "xyz"]
    return [
        *many([au(number) for number in AUS], "au", "intensity 0-5", 0, 5),
        *(
            Channel(name=name, group=group, unit="0 or 1", low=0, high=1, kind="presence")
            for name, group in present.items()
        ),
        *many([au(number, "probability") for number in AUS], "au_probability", "probability", 0, 1),
        *many(["gaze_x", "gaze_y"], "gaze", "rad", -_PI, _PI),
        *many(eyes, "gaze", "unit vector", -1, 1),
        *many(["gaze_head_x", "gaze_head_y"], "gaze", "rad", -_PI, _PI),
        *many(["pose_pitch", "pose_yaw", "pose_roll"], "pose", "rad", -_PI, _PI),
        *many(["pose_x", "pose_y", "pose_z"], "pose", "mm"),
        *many(["pupil"], "pupil", "pupil/iris", 0, 1),
        *many(points("", "xy", FACE_POINTS), "landmarks", "px"),
        *many(points("", "XYZ", FACE_POINTS), "landmarks_3d", "mm"),
        *many(points("eye_lmk_", "xy", EYE_POINTS), "eye_landmarks", "px"),
        *many(points("eye_lmk_", "XYZ", EYE_POINTS), "eye_landmarks_3d", "mm"),
        *many(["p_scale", "p_tx", "p_ty", *(f"p_{k}" for k in range(34))], "shape", "model"),
        *many(["p_rx", "p_ry", "p_rz"], "shape", "rad", -_PI, _PI),
        *many(points("mesh_", "xyz", MESH_POINTS), "mesh", "px"),
        *many(points("mesh_rel_", "xy", MESH_POINTS), "mesh_rel", "share of the image", -1, 2),
        *many(points("mesh_rel_", "z", MESH_POINTS), "mesh_rel", "share of the image", -2, 2),
        *many(list(BLENDSHAPES), "blendshape", "0-1", 0, 1),
        *many([f"emotion_{name}" for name in EMOTIONS], "emotion", "probability", 0, 1),
        *many([au_proxy(number) for number in PROXY_AUS], "au_proxy", "distances of the inner eye corners"),
        *many(
            [f"eye_aspect_ratio{side}" for side in ("", "_right", "_left")], "lids", "height/width", 0, 1.5
        ),
        Channel(name="blink", group="lids", unit="0 or 1", low=0, high=1, kind="presence"),
        *many(["iris_diameter"], "iris", "px"),
        *many(["mm_per_px"], "iris", "mm/px", 0, 100),
        *many(list(_SPEEDS), "speed", "distances of the inner eye corners/s"),
        *many([f"{name}_rel" for name in _ANGLES], "relative", "own robust z"),
        *many([au_proxy(number, "rel") for number in PROXY_AUS], "relative", "own robust z"),
        *many(["valence", "arousal"], "affect", "-1 to 1", -1, 1),
    ]


# Of a series of faces, what tells behavior and neither who it is nor how far the camera was; without the
# proxies of 2 and 24, which the networks of `preprocess.py` do not follow.
FACE_SERIES = (
    *(au_proxy(number, "rel") for number in PROXY_AUS if number not in (2, 24)),
    *("gaze_x", "gaze_y", "pose_pitch", "pose_yaw", "pose_roll", "eye_aspect_ratio", "blink"),
    *_SPEEDS,
)
CHANNELS: dict[str, Channel] = {channel.name: channel for channel in _channels()}


def group(name: str) -> str:
    """Group of a channel; `other` for one that a file keeps under its own name."""
    return CHANNELS[name].group if name in CHANNELS else "other"


def unit(name: str) -> str:
    """Unit of a channel; `unknown` for one that a file keeps under its own name."""
    return CHANNELS[name].unit if name in CHANNELS else "unknown"


def limits(name: str) -> tuple[float, float] | None:
    """Lowest and highest value of a channel; None where no range is known."""
    known = CHANNELS.get(name)
    return None if known is None or known.low is None or known.high is None else (known.low, known.high)


def is_presence(name: str) -> bool:
    """Whether the channel is 0 or 1 and has no values in between."""
    return name in CHANNELS and CHANNELS[name].kind == "presence"
