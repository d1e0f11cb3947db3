"""Tracklets: a face from frame to frame, as long as place and appearance do not speak against it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from preprocessing.faces.face import FloatArray
from preprocessing.tracking.appearance import distances

# All our choices.
_GAP = 3  # frames that a face may be missing
_REACH, _GROWTH = 0.6, 1.5  # how far a face moves in its widths, and grows, from one frame to the next
_HOP = 0.15  # distance from one frame to the next beyond which it is another person
_QUICK = 0.3  # weight of the newest frame in what a face looked like lately
_CHUNK, _EXEMPLARS = 10, 16


@dataclass(kw_only=True, eq=False)
class Tracklet:
    """Frames in which one face is seen, and what it looks like.

    Attributes:
        frames: their numbers.
        faces: which face of the frame it is.
        boxes: ``(4,)`` each.
        clear: whether the light was good enough to see who it is.
        exemplars: descriptions ``(3, C)``, each the median of some clear frames.
    """

    frames: list[int] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)
    boxes: list[FloatArray] = field(default_factory=list)
    clear: list[bool] = field(default_factory=list)
    exemplars: list[FloatArray] = field(default_factory=list)
    _chunk: list[FloatArray] = field(default_factory=list)
    _lately: FloatArray | None = None

    def looks_like(self, look: FloatArray | None) -> bool:
        """Whether it can be the same person as lately; in bad light nothing speaks against it."""
        if look is None or self._lately is None:
            return True
        return bool(distances(look[None], self._lately[None])[0, 0] < _HOP)

    def add(self, frame: int, face: int, box: FloatArray, look: FloatArray | None) -> None:
        """Go on with a face of a frame."""
        self.frames.append(frame)
        self.faces.append(face)
        self.boxes.append(box)
        self.clear.append(look is not None)
        if look is None:
            return
        self._lately = look if self._lately is None else (1 - _QUICK) * self._lately + _QUICK * look
        self._chunk.append(look)
        if len(self._chunk) == _CHUNK:
            self._summarize()

    def close(self, *, doubtful: bool) -> None:
        """End it; where another person was seen in its place, bad light before that is nobody's."""
        if doubtful and any(self.clear):
            end = len(self.clear) - self.clear[::-1].index(True)
            del self.frames[end:], self.faces[end:], self.boxes[end:], self.clear[end:]
        if self._chunk:
            self._summarize()
        step = max(1, -(-len(self.exemplars) // _EXEMPLARS))
        self.exemplars = self.exemplars[::step]

    def _summarize(self) -> None:
        self.exemplars.append(np.median(self._chunk, axis=0))
        self._chunk = []


class Linker:
    """Links the faces of frames, one frame after another, to tracklets."""

    def __init__(self) -> None:
        self.closed: list[Tracklet] = []
        self._open: list[Tracklet] = []

    def add(self, frame: int, boxes: FloatArray, looks: Sequence[FloatArray | None]) -> None:
        """Go on with the faces of a frame.

        Args:
            frame: Its number.
            boxes: ``(K, 4)``.
            looks: Description of each face, None in bad light.
        """
        self._close([one for one in self._open if frame - one.frames[-1] > _GAP], doubtful=False)
        free = list(range(len(boxes)))
        for tracklet, face in self._pairs(boxes):
            if face not in free or tracklet not in self._open or tracklet.frames[-1] == frame:
                continue
            if not tracklet.looks_like(looks[face]):
                self._close([tracklet], doubtful=True)
                continue
            tracklet.add(frame, face, boxes[face], looks[face])
            free.remove(face)
        for face in free:
            self._open.append(Tracklet())
            self._open[-1].add(frame, face, boxes[face], looks[face])

    def finish(self) -> list[Tracklet]:
        """All tracklets, in the order of their first frames."""
        self._close(list(self._open), doubtful=False)
        return sorted(self.closed, key=lambda one: one.frames[0])

    def _pairs(self, boxes: FloatArray) -> list[tuple[Tracklet, int]]:
        """Tracklets and faces that are near each other, the nearest first."""
        found = []
        for tracklet in self._open:
            for face, box in enumerate(boxes):
                apart, growth = apartness(tracklet.boxes[-1], box)
                if apart < _REACH and growth < _GROWTH:
                    found.append((apart, tracklet, face))
        return [(tracklet, face) for _, tracklet, face in sorted(found, key=lambda one: one[0])]

    def _close(self, tracklets: list[Tracklet], *, doubtful: bool) -> None:
        for one in tracklets:
            one.close(doubtful=doubtful)
            self.closed.append(one)
            self._open.remove(one)


def apartness(one: FloatArray, other: FloatArray) -> tuple[float, float]:
    """How far two boxes are apart in widths of the first, and how much larger the larger one is."""
    sizes = [float(np.sqrt((box[2] - box[0]) * (box[3] - box[1]))) + 1e-6 for box in (one, other)]
    shift = (one[:2] + one[2:] - other[:2] - other[2:]) / 2
    return float(np.hypot(*shift)) / sizes[0], max(sizes) / min(sizes)
