"""Follow one person: the main face of a recording, never mixed with another one."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.face import FaceBackend, Faces, Frame
from preprocessing.tracking.appearance import appearance
from preprocessing.tracking.persons import Person, persons
from preprocessing.tracking.remarks import remarks
from preprocessing.tracking.track import Track
from preprocessing.tracking.tracklets import Linker, apartness

# Our choices: from when on a face is found again and not merely seen on.
_AWAY = 5  # frames
_REACH, _GROWTH = 0.5, 1.3  # widths, times


def follow(
    frames: Iterable[Frame], backend: FaceBackend, *, tracked: Path | None = None, fps: float | None = None
) -> Track:
    """Find the faces of all frames and keep those of the main person, who is longest and largest in view.

    After a gap, or where a face suddenly looks different, the track goes on only with a face that looks like
    the same person; other faces are left out.

    Args:
        frames: Of one recording, from the first to the last.
        backend: Finds faces.
        tracked: What another program wrote of the recording, for a backend that reads it.
        fps: Frames per second, for remarks that name times.

    Raises:
        ValueError: There is no frame.
    """
    read = _Read(frames)
    found: list[Faces] = []
    linker = Linker()
    for index, faces in enumerate(backend.faces(read, tracked=tracked)):
        frame = read.waiting.popleft()
        looks = [appearance(frame, points, backend.topology) for points in faces.landmarks]
        linker.add(index, faces.boxes, looks)
        found.append(faces)
    if not found:
        raise ValueError("a recording without frames has no face to follow")
    return _track(found, persons(linker.finish(), fps), backend, read.size, fps)


class _Read:
    """Frames that a backend has taken but not yet answered wait here: it may take many at once."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self.frames = frames
        self.waiting: deque[Frame] = deque()
        self.size = (0, 0)

    def __iter__(self) -> Iterator[Frame]:
        for frame in self.frames:
            self.waiting.append(frame)
            self.size = frame.shape[:2]
            yield frame


def _track(
    found: list[Faces], seen: list[Person], backend: FaceBackend, size: tuple[int, int], fps: float | None
) -> Track:
    n = len(found)
    boxes = np.full((n, 4), np.nan, np.float32)
    landmarks = np.full((n, backend.topology.count, 3), np.nan, np.float32)
    confidence = np.zeros(n, np.float32)
    for tracklet in seen[0].tracklets if seen else ():
        for index, face in zip(tracklet.frames, tracklet.faces, strict=True):
            boxes[index], landmarks[index] = found[index].boxes[face], found[index].landmarks[face]
            confidence[index] = found[index].confidence[face]
    return Track(
        topology=backend.topology,
        boxes=boxes,
        landmarks=landmarks,
        confidence=confidence,
        n_faces=np.array([len(faces.boxes) for faces in found]),
        jumped=_jumps(boxes),
        height=size[0],
        width=size[1],
        remarks=remarks(seen, n, fps),
    )


def _jumps(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Frames ``(T,)`` in which the person is somewhere else than when last seen, or was away."""
    jumped = np.zeros(len(boxes), bool)
    there = np.flatnonzero(np.isfinite(boxes[:, 0]))
    for last, now in pairwise(there.tolist()):
        apart, growth = apartness(boxes[last], boxes[now])
        jumped[now] = now - last > _AWAY or apart > _REACH or growth > _GROWTH
    return jumped
