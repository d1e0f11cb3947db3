"""What an extractor would write of a made-up recording: OpenFace's columns, or the numbers of a network.

Action units wander around the level of the person and are 0 most of the time where they are rare; presences
of rare ones may never occur in a recording. People pause, cameras repeat a frame, faces are lost for a while.
Nothing depends on the label.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.series.formats.openface import GAZE, INTENSITIES, POSE, PRESENCES
from studies.xray.faces import Face, draw_face, wander

Array = NDArray[np.float64]
Row = Mapping[str, Any]

COLUMNS = (
    *GAZE,
    *POSE,
    *(f"AU{unit:02d}_r" for unit in INTENSITIES),
    *(f"AU{unit:02d}_c" for unit in PRESENCES),
)
# Mean intensity before it is cut at 0 (our choice, after what OpenFace gives of people who talk).
_LEVELS = {
    1: 0.2, 2: 0.0, 4: 0.5, 5: -0.15, 6: 0.5, 7: 0.8, 9: -0.1, 10: 0.6, 12: 0.5, 14: 0.7, 15: 0.1, 17: 0.4,
    20: -0.1, 23: 0.1, 25: 0.6, 26: 0.45, 45: 0.2, 28: -0.3,
}  # fmt: skip
_WANDER, _JITTER, _PRESENT = 0.35, 0.08, 0.75  # of an intensity, and from where on it is present
_STEADY = 1.2  # s, time constant of the behavior
_PAUSE, _SLOW = 0.04, 0.04  # pauses a second, and the pace in them
_AGAIN = 0.01  # share of frames that a camera gives twice
_GAP = 0.4  # s, mean length for which a face is lost
_MEANS = {"pose_Tz": 550.0}
_ANGLE, _SPACE = 0.12, 25.0  # spreads of angles in radians and of places in mm


def streams(row: Row, seed: int) -> tuple[np.random.Generator, np.random.Generator]:
    """Sources of chance of the person and of the recording: no other row changes them."""
    return np.random.default_rng([seed, 1, int(row["person"])]), np.random.default_rng(
        [seed, 2, int(row["key"])]
    )


def face_of(row: Row, seed: int) -> Face:
    """Who is seen."""
    return draw_face(np.random.default_rng([seed, 3, int(row["person"])]))


def measured(row: Row, seed: int, *, fps: float) -> tuple[Array, NDArray[np.bool_]]:
    """Values `(T, 49)` in the order of `COLUMNS`, and which rows have a face; the others are 0."""
    person, rng = streams(row, seed)
    rows = rows_of(row, fps)
    moves = _paced(wander(rng, rows, len(COLUMNS), _STEADY * fps), rng, fps)
    levels = person.normal(0, 0.25, len(COLUMNS)) + rng.normal(0, 0.08, len(COLUMNS))
    values = np.empty((rows, len(COLUMNS)))
    for place, name in enumerate(COLUMNS):
        values[:, place] = _column(name, moves[:, place], levels[place], rng)
    values[:, :6] = _directions(values[:, 6:8], rng)
    values[_again(rng, rows)] = np.nan
    values = _held(values)
    found = ~lost_rows(rng, rows, float(row["lost"]), fps)
    values[~found] = 0
    return values, found


def rows_of(row: Row, fps: float) -> int:
    """How many rows a recording has."""
    return round(float(row["seconds"]) * fps)


def _column(name: str, move: Array, level: float, rng: np.random.Generator) -> Array:
    noise = rng.standard_normal(len(move))
    if name.startswith("AU"):
        unit = int(name[2:4])
        strength = _LEVELS[unit] + level + _WANDER * move
        if unit == 45:
            strength = strength + 2 * (np.convolve(rng.random(len(move)) < 0.01, np.ones(6), "same") > 0)
        if name.endswith("_c"):
            return (strength > _PRESENT).astype(float)
        return np.clip(strength + _JITTER * noise, 0, 5)
    if name.startswith("pose_T"):
        return _MEANS.get(name, 0.0) + 100 * level + _SPACE * move + 0.4 * noise
    return 0.3 * level + _ANGLE * move + 0.004 * noise


def _directions(angles: Array, rng: np.random.Generator) -> Array:
    """Gaze vectors `(T, 6)` of both eyes from their angles."""
    eyes = []
    for _ in range(2):
        x, y = np.sin(angles + rng.normal(0, 0.004, angles.shape)).T
        eyes += [x, y, -np.sqrt(np.clip(1 - x**2 - y**2, 0, 1))]
    return np.stack(eyes, axis=1)


def _paced(moves: Array, rng: np.random.Generator, fps: float) -> Array:
    """Behavior that nearly stands still for one to three seconds now and then."""
    pace = np.ones(len(moves))
    for start in np.flatnonzero(rng.random(len(moves)) < _PAUSE / fps):
        pace[start : start + int(rng.uniform(1, 3) * fps)] = _SLOW
    clock = np.concatenate([[0], np.cumsum(pace[1:])])
    whole = np.minimum(clock.astype(int), len(moves) - 2)
    part = (clock - whole)[:, None]
    return np.asarray((1 - part) * moves[whole] + part * moves[whole + 1])


def _again(rng: np.random.Generator, rows: int) -> NDArray[np.bool_]:
    mask = rng.random(rows) < _AGAIN
    mask[0] = False
    return np.asarray(mask)


def _held(values: Array) -> Array:
    """Rows of NaN become the row before."""
    known = np.where(np.isfinite(values[:, 0]), np.arange(len(values)), 0)
    return np.asarray(values[np.maximum.accumulate(known)])


def lost_rows(rng: np.random.Generator, rows: int, share: float, fps: float) -> NDArray[np.bool_]:
    """Rows without a face, in runs; at most half of them."""
    lost = np.zeros(rows, dtype=bool)
    wanted = min(round(share * rows), rows // 2)
    while lost.sum() < wanted:
        start, length = int(rng.integers(1, rows)), 1 + int(rng.exponential(_GAP * fps))
        lost[start : start + min(length, wanted - int(lost.sum()))] = True
    return lost


def embedded(
    row: Row, seed: int, *, fps: float, width: int, hidden: int = 8
) -> tuple[Array, NDArray[np.bool_]]:
    """Numbers of a frozen network `(T, width)`, which move in few directions, and which rows have a face."""
    person, rng = streams(row, seed)
    rows = rows_of(row, fps)
    mixing = np.random.default_rng(width).normal(0, 1 / np.sqrt(hidden), (hidden, width))  # the one network
    moves = _paced(wander(rng, rows, hidden, _STEADY * fps), rng, fps)
    values = person.normal(0, 1, width) + moves @ mixing + 0.05 * rng.standard_normal((rows, width))
    found = ~lost_rows(rng, rows, float(row["lost"]), fps)
    values[~found] = 0
    return values, found
