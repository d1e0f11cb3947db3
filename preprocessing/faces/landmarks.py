"""Landmarks: what the numbers of the mesh and of the iris network mean.

The mesh: Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019. The
eyes: Ablavatski et al., "Real-time Pupil Tracking from Monocular Video for Digital Puppetry", 2020.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from preprocessing.faces.regions import crop_matrices, to_frame

FloatArray = NDArray[np.float32]
MESH_SIDE, EYE_SIDE = 192, 64
MESH_POINTS, EYE_POINTS, IRIS_POINTS = 468, 71, 5
MIRRORED = np.array([False, True])
"""Which eye is shown to the iris network in a mirror: it has learned the person's right ones."""
# Landmarks that the contour of the iris network stands for: lids and corners, 16 of its 71 points.
EYE_CONTOURS = np.array(
    [
        [33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173],
        [263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398],
    ]
)


def mesh_landmarks(values: FloatArray, regions: FloatArray, matrices: FloatArray | None = None) -> FloatArray:
    """Landmarks ``(..., 468, 3)`` in pixels of the frame, depth in the same unit.

    Args:
        values: ``(..., 1404)`` in pixels of the input.
        regions: ``(..., 4)`` what the network looked at.
        matrices: ``(..., 2, 3)``, their own of `crop_matrices` where they are known already.
    """
    if matrices is None:
        matrices = crop_matrices(regions, MESH_SIDE)
    points = values.reshape(*regions.shape[:-1], MESH_POINTS, 3)
    landmarks = np.empty(points.shape, dtype=np.float32)
    landmarks[..., :2] = to_frame(points[..., :2] - np.float32(0.5), matrices)
    landmarks[..., 2] = points[..., 2] * (regions[..., 2] / MESH_SIDE)[..., None]
    return landmarks


def presence(logits: FloatArray) -> FloatArray:
    """Probability that there is a face, from the mesh network's logit."""
    return np.asarray(expit(logits), dtype=np.float32)


def with_eyes(
    landmarks: FloatArray,
    contours: FloatArray,
    irises: FloatArray,
    regions: FloatArray,
    matrices: FloatArray | None = None,
) -> FloatArray:
    """The mesh ``(..., 478, 3)`` with finer lids, and five points of each iris after its own.

    Depth of lids stays that of the mesh, depth of an iris is the mean of its lids'.

    Args:
        landmarks: ``(..., 468, 3)`` in pixels of the frame.
        contours: ``(..., 2, 213)`` of both eyes, in pixels of the input.
        irises: ``(..., 2, 15)`` likewise.
        regions: ``(..., 2, 4)`` what the network looked at.
        matrices: ``(..., 2, 2, 3)``, their own of `crop_matrices` where they are known already.
    """
    lead = regions.shape[:-1]
    if matrices is None:
        matrices = crop_matrices(regions, EYE_SIDE, MIRRORED)
    lids = contours.reshape(*lead, EYE_POINTS, 3)[..., : EYE_CONTOURS.shape[1], :2]
    points = np.concatenate([lids, irises.reshape(*lead, IRIS_POINTS, 3)[..., :2]], axis=-2)
    points = to_frame(points - np.float32(0.5), matrices)
    iris = np.empty((*lead, IRIS_POINTS, 3), dtype=np.float32)
    iris[..., :2] = points[..., -IRIS_POINTS:, :]
    iris[..., 2] = landmarks[..., EYE_CONTOURS, 2].mean(axis=-1)[..., None]
    whole = np.concatenate([landmarks, iris.reshape(*lead[:-1], 2 * IRIS_POINTS, 3)], axis=-2)
    whole[..., EYE_CONTOURS, :2] = points[..., :-IRIS_POINTS, :]
    return np.asarray(whole, dtype=np.float32)
