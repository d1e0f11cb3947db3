"""Detections: what the full-range detector's numbers mean, and one answer for each face."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from preprocessing.faces.anchors import DETECTOR_SIDE, anchors
from preprocessing.faces.regions import crop_matrices, to_frame

FloatArray = NDArray[np.float32]
_OVERLAP = 0.3  # of boxes that mean the same face, in the published graph
_ANCHORS = anchors()


@dataclass(frozen=True, kw_only=True, eq=False)
class Detections:
    """The `K` detected faces of a frame, the surest first.

    Attributes:
        boxes: ``(K, 4)`` left, top, right, bottom in pixels.
        keypoints: ``(K, 6, 2)`` in pixels: the person's right and left eye, nose, mouth, right and left ear.
        scores: ``(K,)`` 0 to 1.
    """

    boxes: FloatArray
    keypoints: FloatArray
    scores: FloatArray

    def __len__(self) -> int:
        """How many there are."""
        return len(self.scores)


def decode(values: FloatArray, logits: FloatArray, region: FloatArray, *, score: float) -> Detections:
    """Read the answer of the detector to one region of a frame.

    Args:
        values: ``(N, 16)`` center, width and height of a box, then six points, in pixels of the input.
        logits: ``(N,)`` or ``(N, 1)``.
        region: ``(4,)`` what it looked at.
        score: The least score that counts.
    """
    scores = expit(logits.reshape(-1))
    kept = np.flatnonzero(scores >= score)
    pairs = values[kept].reshape(-1, 8, 2)
    middles = _ANCHORS[kept, None] * DETECTOR_SIDE
    half = pairs[:, 1:2] / 2
    center = pairs[:, :1] + middles
    # half a pixel: the network counts from the corner of the picture, pixels from their middles
    points = np.concatenate([center - half, center + half, pairs[:, 2:] + middles], axis=1) - 0.5
    points = to_frame(points, crop_matrices(region, DETECTOR_SIDE))
    found = Detections(boxes=points[:, :2].reshape(-1, 4), keypoints=points[:, 2:], scores=scores[kept])
    return merged(found)


def merged(found: Detections) -> Detections:
    """One detection a face: the mean of those that overlap the surest one, weighted by their scores.

    The blending of non-maximum suppression of Bazarevsky et al., "BlazeFace", 2019.
    """
    left = np.argsort(-found.scores, kind="stable")
    flat = np.concatenate([found.boxes, found.keypoints.reshape(-1, 12)], axis=1)
    faces, scores = [], []
    while len(left):
        same = overlaps(found.boxes[left[:1]], found.boxes[left])[0] >= _OVERLAP
        same[0] = True
        weights = found.scores[left[same]]
        faces.append((weights[:, None] * flat[left[same]]).sum(axis=0) / weights.sum())
        scores.append(found.scores[left[0]])
        left = left[~same]
    values = np.array(faces, dtype=np.float32).reshape(-1, 16)
    return Detections(
        boxes=values[:, :4],
        keypoints=values[:, 4:].reshape(-1, 6, 2),
        scores=np.array(scores, dtype=np.float32),
    )


def overlaps(one: FloatArray, other: FloatArray) -> FloatArray:
    """Intersection over union ``(K, L)`` of boxes ``(K, 4)`` and ``(L, 4)``."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=-1) for boxes in (one, other)]
    return np.asarray(shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-6))
