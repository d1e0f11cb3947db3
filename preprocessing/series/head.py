"""Where the head is in each frame: rotation, size and place of a template of its rigid points.

The template is the mean over forty of our drawn faces that look straight ahead (`datamodules.synthetic.face`,
through the mesh), made symmetric; its unit is the distance of the inner corners of the eyes. It needs no
metric model of a face: the angles that it gives have a zero and a slope of their own, see
`docs/guide/faces.md`. Letters: `N` frames with a face, `P` landmarks, `K` points of the template. Axes: x to
the picture's right, y down, z away from the camera.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.topology import Topology

Array = NDArray[np.float64]

_TEMPLATE: Mapping[int, tuple[float, float, float]] = {  # points of the mesh
    10: (0.0, -1.603, -0.127), 151: (0.0, -1.196, -0.277), 9: (0.0, -0.815, -0.377),
    8: (0.0, -0.552, -0.371), 168: (0.0, -0.288, -0.400), 6: (0.0, -0.048, -0.541),
    197: (0.0, 0.136, -0.706), 195: (0.0, 0.298, -0.881), 5: (0.0, 0.475, -1.057),
    33: (-1.321, -0.052, 0.169), 263: (1.321, -0.052, 0.169), 133: (-0.5, 0.0, 0.0), 362: (0.5, 0.0, 0.0),
    127: (-1.998, 0.108, 1.545), 356: (1.998, 0.108, 1.545),
}  # fmt: skip
# The same places of the face among the 68 points.
_IBUG = {27: 168, 28: 197, 29: 5, 36: 33, 39: 133, 42: 362, 45: 263, 0: 127, 16: 356}
TEMPLATES: Mapping[str, Mapping[int, tuple[float, float, float]]] = {
    "mesh": {point: place for point, place in _TEMPLATE.items() if point != 5},
    "ibug68": {point: _TEMPLATE[same] for point, same in _IBUG.items()},
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """The head in `N` frames: a point `x` of the template lies at ``scale * rotation @ x + center``.

    Attributes:
        rotation: ``(N, 3, 3)``.
        scale: ``(N,)`` pixels per unit.
        center: ``(N, 2)`` of the rigid points, in pixels.
        upright: ``(N, P, 2)`` landmarks in units, turned to the front; where they have no depth, the face is
            only turned upright within the picture.
    """

    rotation: Array
    scale: Array
    center: Array
    upright: Array


def fit_head(landmarks: Array, topology: Topology) -> Head:
    """Fit the template to the rigid points of each frame by least squares.

    With depth by Umeyama (IEEE PAMI 1991); without it the turn is that of weak perspective, the scaled
    orthogonal matrix nearest to the affine one (DeMenthon & Davis, IJCV 1995).

    Args:
        landmarks: ``(N, P, 3)`` in pixels; depth may be NaN.
        topology: Which landmark is which.
    """
    places = TEMPLATES[topology.name]
    template = np.array(list(places.values()))
    template = template - template.mean(axis=0)
    flat = not np.isfinite(landmarks[:, list(places), 2]).all()
    points = _with_depth(landmarks, topology, flat=flat)
    rigid = points[:, list(places)]
    center = rigid.mean(axis=1, keepdims=True)
    rotation, scale = _turn(rigid - center, template * ([1, 1, 0] if flat else [1, 1, 1]))
    upright = (points - center) @ rotation / scale[:, None, None]
    if flat:
        rotation = _turn_of_flat(rigid[..., :2] - center[..., :2], template)
    return Head(rotation=rotation, scale=scale, center=center[:, 0, :2], upright=upright[..., :2])


def _with_depth(landmarks: Array, topology: Topology, *, flat: bool) -> Array:
    """Landmarks of which each has a depth: 0 on a flat face, that of the corners of the eye for an iris."""
    points = landmarks.copy()
    if flat:
        points[..., 2] = 0
        return points
    for eye, iris in ((topology.right_eye, topology.right_iris), (topology.left_eye, topology.left_iris)):
        seen = [point for point in iris if point < points.shape[1]]
        points[:, seen, 2] = points[:, [eye[0], eye[3]], 2].mean(axis=1, keepdims=True)
    return points


def _turn(points: Array, template: Array) -> tuple[Array, Array]:
    """Rotation ``(N, 3, 3)`` and scale ``(N,)`` from the template ``(K, 3)`` to points ``(N, K, 3)``."""
    u, s, v = np.linalg.svd(np.einsum("nki,kj->nij", points, template))
    proper = np.ones_like(s)
    proper[:, 2] = np.sign(np.linalg.det(u @ v))  # no mirror image
    return u * proper[:, None] @ v, (s * proper).sum(axis=1) / (template**2).sum()


def _turn_of_flat(points: Array, template: Array) -> Array:
    """Rotation ``(N, 3, 3)`` from the template ``(K, 3)`` to points in the picture ``(N, K, 2)``."""
    affine = np.einsum("ik,nkj->nji", np.linalg.pinv(template), points)
    u, _, v = np.linalg.svd(affine, full_matrices=False)
    rows = u @ v
    return np.concatenate([rows, np.cross(rows[:, 0], rows[:, 1])[:, None]], axis=1)
