"""Made-up tables as OpenFace 2 writes them, with its 714 columns and number formats."""

from pathlib import Path

import numpy as np

_INTENSITIES = (
    "01",
    "02",
    "04",
    "05",
    "06",
    "07",
    "09",
    "10",
    "12",
    "14",
    "15",
    "17",
    "20",
    "23",
    "25",
    "26",
    "45",
)
_PRESENCES = (*_INTENSITIES[:-1], "28", "45")


def _numbered(names: str, count: int) -> list[str]:
    return [f"{name}_{point}" for name in names.split() for point in range(count)]


# Group of columns -> decimals in the text, in the order of the file.
_GROUPS: tuple[tuple[list[str], int], ...] = (
    (["frame", "face_id"], 0),
    (["timestamp"], 3),
    (["confidence"], 2),
    (["success"], 0),
    ([f"gaze_{eye}_{axis}" for eye in "01" for axis in "xyz"], 6),
    (["gaze_angle_x", "gaze_angle_y"], 3),
    (_numbered("eye_lmk_x eye_lmk_y eye_lmk_X eye_lmk_Y eye_lmk_Z", 56), 1),
    (["pose_Tx", "pose_Ty", "pose_Tz"], 1),
    (["pose_Rx", "pose_Ry", "pose_Rz"], 3),
    (_numbered("x y X Y Z", 68), 1),
    (["p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty", *_numbered("p", 34)], 3),
    ([f"AU{unit}_r" for unit in _INTENSITIES], 2),
    ([f"AU{unit}_c" for unit in _PRESENCES], 2),
)
COLUMNS = tuple(name for names, _ in _GROUPS for name in names)
_FORMATS = [f"%.{decimals}f" for names, decimals in _GROUPS for _ in names]
_AT = {name: column for column, name in enumerate(COLUMNS)}


def write_openface(
    path: Path, rng: np.random.Generator, *, rows: int = 24, fps: float = 30.0, level: float = 1.0
) -> None:
    """Write one table with `", "` between cells; every twelfth frame has no face (`success` 0).

    Args:
        path: The file.
        rng: Where the values come from.
        rows: Frames.
        fps: Frames per second, from which `timestamp` follows.
        level: Mean intensity of the action units, 0 to 5.
    """
    values = rng.normal(scale=0.05, size=(rows, len(COLUMNS)))
    _fill(values, rng, level=level)
    frame = np.arange(rows)
    success = (frame % 12 != 11).astype(float)
    stated = {
        "frame": frame + 1,
        "face_id": 0,
        "timestamp": frame / fps,
        "confidence": np.where(success == 1, 0.98, 0.02),
        "success": success,
    }
    for name, column in stated.items():
        values[:, _AT[name]] = column
    np.savetxt(path, values, fmt=_FORMATS, delimiter=", ", header=", ".join(COLUMNS), comments="")


def _fill(values: np.ndarray, rng: np.random.Generator, *, level: float) -> None:
    rows = len(values)
    for name, column in _AT.items():
        if name.startswith("AU"):
            strength = np.clip(rng.normal(level, 0.5, size=rows), 0, 5)
            values[:, column] = strength if name.endswith("_r") else strength > 1
        elif name.startswith(("x_", "y_", "eye_lmk_x", "eye_lmk_y")):  # pixels
            values[:, column] += 200 + rng.uniform(0, 80) + rng.normal(size=rows)
        elif name.startswith(("X_", "Y_", "Z_", "eye_lmk_", "pose_T")):  # millimetres
            values[:, column] += rng.uniform(-60, 60) + rng.normal(size=rows)
    values[:, _AT["pose_Tz"]] += 600
