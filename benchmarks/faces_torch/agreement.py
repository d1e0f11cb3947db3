"""How far the landmarks of both backends lie apart, in percent of the distance of the irises."""

from pathlib import Path
from typing import Any

import numpy as np

from preprocessing.faces.face import Faces, FloatArray, Frame
from preprocessing.faces.landmarks import MESH_POINTS
from preprocessing.faces.litert import LitertFaces
from preprocessing.faces.networks import LitertNetworks
from preprocessing.faces.regions import detection_regions, frame_region
from preprocessing.faces.torch_faces import TorchFaces

_RIGHT, _LEFT = 468, 473  # middles of the irises


def agreement(frames: list[Frame], ours: TorchFaces, models: Path | None) -> dict[str, Any]:
    """Compare the backends as they are, both without tracking, and on the same regions.

    Args:
        frames: Of one size.
        ours: The torch backend.
        models: Folder of the networks' files.
    """
    theirs = list(LitertFaces(models=models, tracking=False).faces(frames))
    mine = list(ours.faces(frames))
    both = [(a, b) for a, b in zip(mine, theirs, strict=True) if len(a.boxes) and len(b.boxes)]
    whole = [min((apart(one, b.landmarks[0]) for one in a.landmarks), key=np.mean) for a, b in both]
    return {
        "frames": len(frames),
        "found_litert": _found(theirs),
        "found_torch": _found(mine),
        "found_by_both": len(both),
        "same_regions": _summary(_on_same_regions(frames, ours, LitertNetworks(models))),
        "whole": _summary(whole),
    }


def apart(ours: FloatArray, theirs: FloatArray) -> FloatArray:
    """Distances ``(P,)`` of landmarks ``(P, 2 or more)``."""
    eyes = np.linalg.norm(theirs[_RIGHT, :2] - theirs[_LEFT, :2])
    return np.asarray(100 * np.linalg.norm(ours[:, :2] - theirs[:, :2], axis=1) / eyes)


def _found(found: list[Faces]) -> int:
    return sum(len(faces.boxes) > 0 for faces in found)


def _on_same_regions(frames: list[Frame], ours: TorchFaces, litert: LitertNetworks) -> list[FloatArray]:
    """Distances where both look at the faces that LiteRT detected, and at the eyes of its meshes."""
    distances = []
    for frame in frames:
        seen = ours.networks.upload(frame[None])
        found = litert.detect(frame, frame_region(*frame.shape[:2]), score=0.5)
        for region in detection_regions(found.boxes, found.keypoints):
            mesh, _ = litert.landmarks(frame, region)
            own, _ = ours.networks.landmarks(seen, region[None])
            eyes, own_eyes = litert.eyes(frame, mesh), ours.networks.eyes(seen, mesh[None])[0]
            # lids of both kinds are compared: those of the mesh here, those of the iris network by the irises
            theirs = np.concatenate([mesh, eyes[MESH_POINTS:]])
            distances.append(apart(np.concatenate([own[0], own_eyes[MESH_POINTS:]]), theirs))
    return distances


def _summary(distances: list[FloatArray]) -> dict[str, float]:
    """Over all landmarks of all frames, and the median of the frame that is worst by it."""
    return {
        "median": float(np.median(distances)),
        "p95": float(np.percentile(distances, 95)),
        "worst_frame": float(np.median(distances, axis=1).max()),
    }
