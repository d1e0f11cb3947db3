"""The tracker: each face is looked for where it was, and the whole frame is searched now and then.

The region of a face comes from its last landmarks (Kartynnik et al., 2019), which costs one network instead
of two and trembles less. The detector searches when a face is lost, and every n-th frame for further ones.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from preprocessing.faces.detections import Detections, overlaps
from preprocessing.faces.face import Faces, FloatArray, Frame
from preprocessing.faces.landmarks import IRIS_POINTS, MESH_POINTS
from preprocessing.faces.regions import detection_regions, frame_region, landmark_regions, tile_regions

_POINTS = MESH_POINTS + 2 * IRIS_POINTS
_PRESENT = 0.5  # of the mesh network, as in the published graph
_SCORE = 0.5  # of the detector: lower than its graph's 0.6, as the mesh network has the last word. Our choice
# Overlap of boxes that are one face, and of a face with its detection unless it slipped. Our choices
_SAME, _SEEN = 0.3, 0.5
# A face this share of the side off the middle of its region, or as much larger, is looked at again.
_FAR, _LOOKS = 0.08, 4  # Our choice
_HASTY = 0.04  # of a side a frame: a face that moves more is searched. Our choice
_ANXIOUS = 30  # frames in which a lost face is searched in each. Our choice


class Networks(Protocol):
    """What a tracker asks of networks."""

    def detect(self, frame: Frame, region: FloatArray, *, score: float) -> Detections:
        """Faces in an upright region of a frame."""
        ...

    def landmarks(self, frame: Frame, region: FloatArray) -> tuple[FloatArray, float]:
        """The mesh of a region, and how likely there is a face."""
        ...

    def eyes(self, frame: Frame, landmarks: FloatArray) -> FloatArray:
        """The mesh with finer lids and the irises."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    landmarks: FloatArray
    presence: float
    place: FloatArray
    before: FloatArray

    def expected(self) -> FloatArray:
        """Region where it will be in the next frame: where it is, or further on if it moves fast."""
        region = self.place.copy()
        if self.moved > _FAR:
            region[:2] += self.place[:2] - self.before[:2]
        return region

    @cached_property
    def moved(self) -> float:
        """How far it came since the last frame, as a share of its region's side."""
        return float(np.abs(self.place[:2] - self.before[:2]).max() / self.place[2])

    @cached_property
    def box(self) -> FloatArray:
        columns = self.landmarks[:MESH_POINTS, :2].T.copy()  # numpy searches what lies in one piece fastest
        return np.concatenate([columns.min(axis=1), columns.max(axis=1)])


class Tracker:
    """Follows the faces of one recording.

    Args:
        networks: Detector, mesh and irises.
        max_faces: Faces that are followed at once.
        search_every: The whole frame is searched in every n-th frame; 1 searches all, and no face is looked
            for where it was.
    """

    def __init__(self, networks: Networks, *, max_faces: int, search_every: int) -> None:
        self.networks, self.max_faces, self.search_every = networks, max_faces, search_every
        self._held: list[_Found] = []
        self._unsearched, self._anxious, self._turn = search_every, 0, 0

    def step(self, frame: Frame) -> Faces:
        """The faces of the next frame, those of the last one first."""
        before = len(self._held)
        held = [self._look(frame, one.expected(), moved_from=one.place) for one in self._held]
        self._held = _distinct([one for one in held if one is not None])
        self._anxious = _ANXIOUS if len(self._held) < before else max(0, self._anxious - 1)
        self._unsearched += 1
        hasty = any(one.moved > _HASTY for one in self._held)  # or it slipped to somebody who walks by
        searched = not self._held or self._anxious > 0 or hasty or self._unsearched >= self.search_every
        if searched:
            self._search(frame)
        faces = _faces(self._held, searched)
        if self.search_every == 1:
            self._held = []
        return faces

    def _search(self, frame: Frame) -> None:
        """Search the frame, and where a face is missing a part of it too, in turns, for small faces."""
        self._unsearched = 0
        self._search_in(frame, frame_region(*frame.shape[:2]))
        if not self._held or self._anxious:
            tiles = tile_regions(*frame.shape[:2])
            for region in tiles if self.search_every == 1 else tiles[self._turn % len(tiles)][None]:
                self._search_in(frame, region)
            self._turn += 1

    def _search_in(self, frame: Frame, place: FloatArray) -> None:
        found = self.networks.detect(frame, place, score=_SCORE)
        regions = detection_regions(found.boxes, found.keypoints)
        held = np.array([one.box for one in self._held], np.float32).reshape(-1, 4)
        seen = overlaps(found.boxes, held) >= _SEEN
        for region in regions[~seen.any(axis=1)]:
            slipped = [number for number in np.flatnonzero(~seen.any(axis=0)) if self._near(number, region)]
            one = self._look(frame, region)
            if one is not None and slipped:
                self._held[slipped[0]] = one
            elif one is not None and len(self._held) < self.max_faces:
                self._held.append(one)
        self._held = _distinct(self._held)

    def _near(self, number: int, region: FloatArray) -> bool:
        """Whether the middle of a held face is inside the middle of a region."""
        box = self._held[number].box
        return bool(np.abs((box[:2] + box[2:]) / 2 - region[:2]).max() < region[2] / 3)

    def _look(
        self, frame: Frame, region: FloatArray, *, moved_from: FloatArray | None = None
    ) -> _Found | None:
        """Look at a region, and again from where the face is then, while it was far from the middle."""
        for _ in range(1 if self.search_every == 1 else _LOOKS):
            landmarks, presence = self.networks.landmarks(frame, region)
            if presence < _PRESENT:
                return None
            looked, region = region, landmark_regions(landmarks)
            if np.abs(region[:3] - looked[:3]).max() < _FAR * looked[2]:
                break
        return _Found(
            landmarks=self.networks.eyes(frame, landmarks),
            presence=presence,
            place=region,
            before=region if moved_from is None else moved_from,
        )


def _distinct(found: list[_Found]) -> list[_Found]:
    """All but those that are on a face that an earlier one is on."""
    kept: list[_Found] = []
    for one in found:
        if all(overlaps(one.box[None], other.box[None])[0, 0] < _SAME for other in kept):
            kept.append(one)
    return kept


def _faces(found: list[_Found], searched: bool) -> Faces:
    return Faces(
        boxes=np.array([one.box for one in found], np.float32).reshape(-1, 4),
        landmarks=np.array([one.landmarks for one in found], np.float32).reshape(-1, _POINTS, 3),
        confidence=np.array([one.presence for one in found], np.float32),
        searched=searched,
    )
