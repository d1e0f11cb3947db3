"""Made-up tables as OpenFace 2 writes them, with its 714 columns and number formats."""

from pathlib import Path

import numpy as np

from datamodules.series.formats.openface import ORDER

# Decimals in the text by the beginning of the name, the first that fits; landmarks have one.
_DECIMALS = {
    **{"frame": 0, "face_id": 0, "timestamp": 3, "confidence": 2, "success": 0},
    **{"gaze_angle": 3, "gaze": 6, "pose_R": 3, "p_": 3, "AU": 2, "": 1},
}
_FORMATS = [
    f"%.{next(digits for start, digits in _DECIMALS.items() if name.startswith(start))}f" for name in ORDER
]
_AT = {name: column for column, name in enumerate(ORDER)}


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
    values = rng.normal(scale=0.05, size=(rows, len(ORDER)))
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
    np.savetxt(path, values, fmt=_FORMATS, delimiter=", ", header=", ".join(ORDER), comments="")


def _fill(values: np.ndarray, rng: np.random.Generator, *, level: float) -> None:
    rows = len(values)
    for name, column in _AT.items():
        if name.startswith("AU"):
            strength = np.clip(rng.normal(level, 0.5, size=rows), 0, 5)
            values[:, column] = strength if name.endswith("_r") else strength > 1
        elif name.startswith(("x_", "y_", "eye_lmk_x", "eye_lmk_y")):  # pixels
            values[:, column] += 200 + rng.uniform(0, 80) + rng.normal(size=rows)
        elif name.startswith(("X_", "Y_", "Z_", "eye_lmk_", "pose_T")):  # millimeters
            values[:, column] += rng.uniform(-60, 60) + rng.normal(size=rows)
    values[:, _AT["pose_Tz"]] += 600
