"""Follow one person: the main face of a recording, never mixed with another one."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from preprocessing.faces.face import FaceBackend, Frame
from preprocessing.tracking.track import Track


def follow(frames: Iterable[Frame], backend: FaceBackend, *, tracked: Path | None = None) -> Track:
    """Find the faces of all frames and keep those of the main person, who is longest and largest in view."""
    size: list[tuple[int, int]] = []

    def seen() -> Iterable[Frame]:
        for frame in frames:
            size[:] = [(frame.shape[0], frame.shape[1])]
            yield frame

    found = list(backend.faces(seen(), tracked=tracked))
    boxes = np.full((len(found), 4), np.nan, np.float32)
    landmarks = np.full((len(found), backend.topology.count, 3), np.nan, np.float32)
    confidence = np.zeros(len(found), np.float32)
    for index, faces in enumerate(found):
        if len(faces.boxes):
            boxes[index], landmarks[index] = faces.boxes[0], faces.landmarks[0]
            confidence[index] = faces.confidence[0]
    return Track(
        topology=backend.topology,
        boxes=boxes,
        landmarks=landmarks,
        confidence=confidence,
        n_faces=np.array([len(faces.boxes) for faces in found]),
        jumped=np.zeros(len(found), bool),
        height=size[0][0],
        width=size[0][1],
    )
