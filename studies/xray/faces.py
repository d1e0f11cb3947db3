"""The 68 landmarks of made-up faces: proportions of a person, turned, moved and measured with noise.

Units of the face are the distance of its eyes: `x` to the right of the image, `y` down, `z` toward the
camera. Numbers are our choices, near the usual mean shape.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Array = NDArray[np.float64]

PROPORTIONS = (
    *("width", "length", "eyes", "eye", "brow", "nose", "nostrils", "mouth", "lips", "low"),
)  # of the face, its eyes, brows, nose and mouth, and how low the mouth sits
_SPREAD = 0.09  # of the logarithm of each, between persons
_NOISE = 0.006  # of a landmark, in distances of the eyes
_TURN = np.array([0.16, 0.10, 0.05])  # standard deviations of yaw, pitch and roll, radians
_BURN = 200  # rows of an AR process before the first that is used


@dataclass(frozen=True)
class Face:
    """A person before a camera: proportions (10,), pixels between the eyes, place (2,) in the picture."""

    shape: Array
    pixels: float
    place: Array


def draw_face(rng: np.random.Generator) -> Face:
    """Proportions and place of somebody."""
    shape = np.exp(rng.normal(0, _SPREAD, len(PROPORTIONS)))
    return Face(shape, float(rng.uniform(70, 120)), rng.uniform([280, 200], [360, 280]))


def wander(rng: np.random.Generator, rows: int, columns: int, steady: float) -> Array:
    """AR(1) processes of variance 1 `(rows, columns)`; `steady` rows is their time constant."""
    keep = np.exp(-1 / max(steady, 1e-6))
    noise = rng.standard_normal((rows + _BURN, columns)) * np.sqrt(1 - keep**2)
    return np.asarray(lfilter([1.0], [1.0, -keep], noise, axis=0)[_BURN:], dtype=np.float64)


def landmarks(face: Face, rng: np.random.Generator, rows: int, *, fps: float, cuts: bool = False) -> Array:
    """Pixels of the landmarks `(rows, 68, 2)`: the head turns, leans and speaks.

    Args:
        face: Who.
        rng: What they do, and the errors.
        rows: How many.
        fps: Rows per second.
        cuts: The camera is put elsewhere now and then, as in vlogs: place, size and turn jump.
    """
    turned = solid(face, rng, rows, fps=fps)
    size, place = np.full(rows, face.pixels), np.tile(face.place, (rows, 1))
    if cuts:
        piece = np.cumsum(rng.random(rows) < 1 / 25)
        size *= np.exp(rng.normal(0, 0.15, piece[-1] + 1))[piece]
        place += rng.normal(0, 25, (piece[-1] + 1, 2))[piece]
    slow = wander(rng, rows, 3, 5 * fps)
    size *= np.exp(0.03 * slow[:, 0])
    place += 0.08 * face.pixels * slow[:, 1:]
    points = turned[..., :2] + rng.normal(0, _NOISE, (rows, 68, 2))
    return np.asarray(points * size[:, None, None] + place[:, None])


def solid(face: Face, rng: np.random.Generator, rows: int, *, fps: float) -> Array:
    """The landmarks in space `(rows, 68, 3)`, in distances of the eyes, after the head has turned."""
    moves = wander(rng, rows, 4, 0.5 * fps)
    opened, smile, raised = np.clip(moves[:, :3], 0, 2).T
    points = _still(face.shape, opened, smile, raised, np.where(moves[:, 3] > 2, 0.2, 1.0))
    yaw, pitch, roll = (_TURN * wander(rng, rows, 3, 2.0 * fps)).T
    return np.asarray(np.einsum("tij,tkj->tki", _rotation(yaw, pitch, roll), points))


def _rotation(yaw: Array, pitch: Array, roll: Array) -> Array:
    one, zero = np.ones_like(yaw), np.zeros_like(yaw)

    def stack(*cells: Array) -> Array:
        return np.stack(cells, axis=-1).reshape(-1, 3, 3)

    sides = stack(np.cos(yaw), zero, np.sin(yaw), zero, one, zero, -np.sin(yaw), zero, np.cos(yaw))
    nod = stack(one, zero, zero, zero, np.cos(pitch), -np.sin(pitch), zero, np.sin(pitch), np.cos(pitch))
    tilt = stack(np.cos(roll), -np.sin(roll), zero, np.sin(roll), np.cos(roll), zero, zero, zero, one)
    return tilt @ nod @ sides


def _still(shape: Array, opened: Array, smile: Array, raised: Array, lids: Array) -> Array:
    """The face from the front `(rows, 68, 3)`; movements are `(rows,)`."""
    own = dict(zip(PROPORTIONS, shape.tolist(), strict=True))
    rows = len(opened)
    opened, smile, raised, lids = (move[:, None] for move in (opened, smile, raised, lids))
    at = np.linspace(0, np.pi, 17)
    jaw = _parts(
        rows,
        -1.15 * own["width"] * np.cos(at),
        1.4 * own["length"] * np.sin(at) + 0.15 * opened * np.sin(at) ** 2,
        0.5 * np.sin(at) - 0.6,
    )
    along = np.linspace(0, 1, 5)
    brow_x = own["eyes"] * (0.85 - 0.65 * along)
    brow_y = -0.33 * own["brow"] - 0.1 * np.sin(np.pi * along) - 0.06 * raised
    bridge = np.linspace(0, 1, 4)
    nose = _parts(rows, 0 * bridge, -0.1 + 0.55 * own["nose"] * bridge, 0.3 + 0.4 * bridge)
    wings = np.linspace(-1, 1, 5)
    base = _parts(rows, 0.24 * own["nostrils"] * wings, 0.55 * own["nose"] + 0 * wings, 0.5 - 0.15 * wings**2)
    ring = np.pi - np.arange(6) * np.pi / 3
    eye_x, eye_y = 0.17 * own["eye"] * np.cos(ring), -0.08 * own["eye"] * np.sin(ring) * lids
    middle = 0.5 * own["eyes"]
    mouth = 0.95 * own["low"]
    wide = 0.4 * own["mouth"] * (1 + 0.08 * smile)
    outer, inner = np.pi - np.arange(12) * np.pi / 6, np.pi - np.arange(8) * np.pi / 4
    lip, gap = 0.13 * own["lips"] + 0.06 * opened, 0.02 + 0.06 * opened
    return np.concatenate(
        [
            jaw,
            _parts(rows, -brow_x, brow_y, 0 * along + 0.2),
            _parts(rows, brow_x[::-1], brow_y[:, ::-1], 0 * along + 0.2),
            nose,
            base,
            _parts(rows, eye_x - middle, eye_y, 0 * ring + 0.1),
            _parts(rows, eye_x + middle, eye_y, 0 * ring + 0.1),
            _parts(rows, wide * np.cos(outer), mouth - lip * np.sin(outer), 0 * outer + 0.35),
            _parts(rows, 0.8 * wide * np.cos(inner), mouth - gap * np.sin(inner), 0 * inner + 0.35),
        ],
        axis=1,
    )


def _parts(rows: int, x: Array, y: Array, z: Array) -> Array:
    return np.stack([np.broadcast_to(axis, (rows, np.shape(axis)[-1])) for axis in (x, y, z)], axis=-1)
