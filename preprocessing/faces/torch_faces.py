"""The backend for a GPU: the networks in torch, for batches of frames."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from preprocessing.faces.detections import overlaps
from preprocessing.faces.face import Faces, FloatArray, Frame
from preprocessing.faces.landmarks import MESH_POINTS
from preprocessing.faces.regions import detection_regions, frame_region, tile_regions
from preprocessing.faces.topology import MESH
from preprocessing.faces.torch_crops import rows
from preprocessing.faces.torch_networks import TorchNetworks

_PRESENT, _SCORE, _SAME = 0.5, 0.5, 0.3  # as in `tracker`


class TorchFaces:
    """Full-range detector, mesh of 468 points and irises on batches of frames, each searched by itself.

    Nothing is carried from frame to frame but the order of the faces: first those that lie where one was.

    Args:
        models: Folder of the networks' files; by default the user's cache, which
            `python -m preprocessing.models` fills.
        device: As torch names it; `auto` takes a GPU where there is one.
        batch: Frames that are on the device at once.
        max_faces: Faces that are found in a frame.

    Raises:
        ModelError: In the first frame: a file is missing or is another one.
    """

    topology = MESH

    def __init__(
        self,
        *,
        models: str | Path | None = None,
        device: str = "auto",
        batch: int = 64,
        max_faces: int = 4,
    ) -> None:
        if batch < 1 or max_faces < 1:
            raise ValueError(f"batch={batch}, max_faces={max_faces}: both count from 1")
        self.batch, self.max_faces = batch, max_faces
        self.networks = TorchNetworks(models, device)

    def faces(self, frames: Iterable[Frame], *, tracked: Path | None = None) -> Iterator[Faces]:
        """Yield the faces of each frame, in order; at most `batch` frames are held."""
        before = np.zeros((0, 4), np.float32)
        for held in _batches(frames, self.batch):
            for found in self._find(self.networks.upload(held)):
                faces = _in_order(found, before)
                before = faces.boxes if len(faces.boxes) else before
                yield faces

    def provenance(self) -> dict[str, Any]:
        """What the fingerprint keeps of it; on which device it ran is not part of that."""
        return {"backend": "torch", **self.networks.provenance()}

    def _find(self, frames: Tensor) -> list[Faces]:
        """Search whole frames, then the parts of those without a face: small faces are seen there."""
        height, width = frames.shape[2:]
        found = self._search(frames, frame_region(height, width)[None])
        empty = np.flatnonzero([not len(faces.confidence) for faces in found])
        if len(empty):
            again = self._search(rows(frames, empty), tile_regions(height, width))
            for place, faces in zip(empty, again, strict=True):
                found[place] = faces
        return found

    def _search(self, frames: Tensor, places: FloatArray) -> list[Faces]:
        """The faces of each frame that are seen in some upright regions ``(P, 4)`` of it."""
        owners, regions = [], []
        for place in places:
            for owner, seen in enumerate(self.networks.detect(frames, place, score=_SCORE)):
                owners += [owner] * len(seen)
                regions.append(detection_regions(seen.boxes, seen.keypoints))
        owner_of = np.array(owners, np.int64)
        landmarks, presence = self._meshes(frames, owner_of, np.concatenate(regions))
        of = [np.flatnonzero((owner_of == one) & (presence >= _PRESENT)) for one in range(len(frames))]
        return [self._distinct(landmarks[own], presence[own]) for own in of]

    def _meshes(
        self, frames: Tensor, owners: NDArray[np.int64], regions: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Meshes ``(N, 478, 3)`` of regions ``(N, 4)`` of these frames, and how likely each has a face."""
        meshes, presences = [np.zeros((0, MESH.count, 3), np.float32)], [np.zeros(0, np.float32)]
        for first in range(0, len(owners), self.batch):
            seen = rows(frames, owners[first : first + self.batch])
            landmarks, presence = self.networks.landmarks(seen, regions[first : first + self.batch])
            meshes.append(self.networks.eyes(seen, landmarks))
            presences.append(presence)
        return np.concatenate(meshes), np.concatenate(presences)

    def _distinct(self, landmarks: FloatArray, presence: FloatArray) -> Faces:
        """The faces of one frame, all but those that lie on one before."""
        points = landmarks[:, :MESH_POINTS, :2]
        boxes = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
        kept: list[int] = []
        for row in range(len(boxes)):
            if (overlaps(boxes[[row]], boxes[kept]) < _SAME).all() and len(kept) < self.max_faces:
                kept.append(row)
        return Faces(boxes=boxes[kept], landmarks=landmarks[kept], confidence=presence[kept])


def _in_order(faces: Faces, before: FloatArray) -> Faces:
    """Faces in the order of those of an earlier frame ``(L, 4)`` that they overlap, then the others."""
    shared, left = overlaps(faces.boxes, before), list(range(len(faces.boxes)))
    order: list[int] = []
    for place in range(len(before)):
        nearest = max(left, key=lambda row: float(shared[row, place]), default=None)
        if nearest is not None and shared[nearest, place] >= _SAME:
            order.append(nearest)
            left.remove(nearest)
    order += left
    return replace(
        faces, boxes=faces.boxes[order], landmarks=faces.landmarks[order], confidence=faces.confidence[order]
    )


def _batches(frames: Iterable[Frame], size: int) -> Iterator[Frame]:
    """Frames ``(B, H, W, 3)`` of one size, in order."""
    held: list[Frame] = []
    for frame in frames:
        if held and (len(held) == size or frame.shape != held[0].shape):
            yield np.stack(held)
            held = []
        held.append(frame)
    if held:
        yield np.stack(held)
