"""Videos with marks instead of faces, and a backend that finds the marks: the steps around the networks."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from datamodules.synthetic.video import write_video
from preprocessing.alignment.template import template
from preprocessing.faces.face import Faces, Frame
from preprocessing.faces.topology import MESH

HEIGHT, WIDTH, FACE = 240, 320, 100  # pixels; the last is the face's width
_SCALE = FACE / 2.2  # pixels between the eyes


def cloud() -> np.ndarray:
    """Landmarks ``(478, 3)`` around the origin: rigid points where faces have them, the others near."""
    rng = np.random.default_rng(7)
    points = rng.uniform([-1.0, -0.7, -0.4], [1.0, 1.7, 0.4], (MESH.count, 3))
    # in a crop without margin the template spans its width, in units of the distance between the eyes
    points[list(MESH.rigid), :2] = (template(MESH, size=220, margin=0) - 109.5) / 100 + [0, 0.5]
    return (points * _SCALE).astype(np.float32)


class MarkedFaces:
    """A face around every red square."""

    topology = MESH

    def faces(self, frames: Iterable[Frame], *, tracked: Path | None = None) -> Iterator[Faces]:
        del tracked
        for frame in frames:
            low, high = np.array([190, 0, 0]), np.array([255, 70, 70])
            count, _, stats, centers = cv2.connectedComponentsWithStats(cv2.inRange(frame, low, high))
            places = [centers[one] for one in range(1, count) if stats[one, cv2.CC_STAT_AREA] > 60]
            landmarks = np.array([np.add(cloud(), [x, y, 0]) for x, y in places], np.float32).reshape(
                -1, MESH.count, 3
            )
            flat = landmarks[..., :2]
            boxes = np.concatenate([flat.min(1), flat.max(1)], 1) if places else np.empty((0, 4), np.float32)
            yield Faces(boxes=boxes, landmarks=landmarks, confidence=np.ones(len(places), np.float32))

    def provenance(self) -> dict[str, Any]:
        return {"name": "marked"}


def scene(frames: int, *, absent: Iterable[int] = (), seed: int = 0) -> Iterator[Frame]:
    """A sharp patch with a mark that moves about before a wall, but for frames without it."""
    rng, gone = np.random.default_rng(seed), set(absent)
    wall, patch = (
        cv2.resize(
            rng.integers(90, 170, (size, size, 3), dtype=np.uint8), (4 * size, 4 * size), interpolation=0
        )
        for size in (WIDTH // 4, FACE // 2)
    )
    middle = len(patch) // 2
    patch[middle - 6 : middle + 7, middle - 6 : middle + 7] = 235, 20, 20
    padded = np.zeros((HEIGHT + 2 * middle, WIDTH + 2 * middle, 3), np.uint8)
    for number in range(frames):
        padded[middle:-middle, middle:-middle] = wall[:HEIGHT]
        if number not in gone:
            x, y = place(number)
            padded[y : y + len(patch), x : x + len(patch)] = patch
        yield padded[middle:-middle, middle:-middle].copy()


def place(number: int) -> tuple[int, int]:
    """Column and row of the mark's middle."""
    return round(WIDTH / 2 + 20 * np.sin(number / 5)), round(HEIGHT / 2 - 20 + 8 * np.cos(number / 7))


def write_scene(path: Path, frames: int = 40, *, fps: float = 25.0, seconds: Any = None, **how: Any) -> Path:
    """Write a video of such a scene."""
    write_video(path, scene(frames, **how), fps=fps, seconds=seconds)
    return path
