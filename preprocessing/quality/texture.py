"""A face unrolled: its colors at fixed places, whatever its shape, expression and pose.

A fixed layout of landmarks is cut into triangles, and each triangle of the picture is stretched over the one
of the layout that it belongs to. Raised brows, an open mouth and a turned head then leave colors where they
were.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from preprocessing.faces.face import FloatArray, Frame
from preprocessing.faces.topology import IBUG68, MESH, Topology

WIDTH, HEIGHT = 28, 34  # pixels of a texture; our choice
_UNIT = 12.5  # pixels for the distance between the eyes
_ORIGIN = np.array([13.5, 10.5])  # pixel of the middle between the eyes

# Our own layout, in distances between the eyes from the middle between them, y down: the person's right half.
_EYE = ((-0.72, -0.01), (-0.60, -0.10), (-0.40, -0.10), (-0.28, 0.01), (-0.40, 0.07), (-0.60, 0.08))
_BROW = ((-0.95, -0.20), (-0.80, -0.33), (-0.60, -0.38), (-0.40, -0.36), (-0.22, -0.30))
_MIDDLE = ((0.0, -0.06), (0.0, 0.65), (0.0, 0.77), (0.0, 1.12), (0.0, 1.20), (0.0, 1.02), (0.0, 1.33))
_BORDER = (  # of the mesh, from the forehead to the chin
    *((0.0, -0.82), (-0.31, -0.81), (-0.57, -0.77), (-0.80, -0.70), (-0.95, -0.55), (-1.04, -0.38)),
    *((-1.09, -0.20), (-1.10, 0.03), (-1.08, 0.24), (-1.06, 0.46), (-1.02, 0.71), (-0.95, 0.96)),
    *((-0.85, 1.18), (-0.74, 1.34), (-0.60, 1.48), (-0.48, 1.60), (-0.35, 1.69), (-0.20, 1.75), (0.0, 1.78)),
)
_JAW = (  # of the 68 points, from the ear to the chin
    *((-1.08, -0.06), (-1.07, 0.22), (-1.03, 0.51), (-0.98, 0.79), (-0.90, 1.08), (-0.76, 1.35)),
    *((-0.58, 1.60), (-0.35, 1.80), (0.0, 1.86)),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Unrolling:
    """For each pixel of the texture the triangle of landmarks that it lies in.

    Attributes:
        inside: pixels that lie on the face ``(HEIGHT, WIDTH)``, `N` of them.
        corners: numbers of three landmarks ``(N, 3)``.
        weights: their barycentric weights ``(N, 3)``.
    """

    inside: NDArray[np.bool_]
    corners: NDArray[np.int64]
    weights: FloatArray


def texture(picture: Frame, points: FloatArray) -> Frame:
    """Unroll the face of a picture to ``(HEIGHT, WIDTH, 3)``; black beyond the layout.

    Args:
        picture: ``(S, S, 3)``, so small already that a texture's pixel covers one or two of it.
        points: Landmarks ``(P, 2)`` in its pixels, of one of the two topologies.
    """
    unrolling = unroll(len(points))
    corners = points.take(unrolling.corners, axis=0)  # a tenth of the time of an index
    places = np.einsum("nk,nkd->nd", unrolling.weights, corners).astype(np.float32)
    maps = np.full((2, HEIGHT, WIDTH), -2, dtype=np.float32)
    maps[:, unrolling.inside] = places.T
    return np.asarray(cv2.remap(picture, maps[0], maps[1], cv2.INTER_LINEAR), dtype=np.uint8)


@cache
def unroll(count: int) -> Unrolling:
    """The triangles of the topology with so many landmarks.

    Raises:
        ValueError: There is no such topology.
    """
    layouts = {topology.count: topology for topology in (MESH, IBUG68)}
    if count not in layouts:
        raise ValueError(f"{count} landmarks: a face has {MESH.count} or {IBUG68.count}")
    places = layout(layouts[count])
    numbers = np.array(list(places))
    mesh = Delaunay(_ORIGIN + _UNIT * np.array(list(places.values())))
    grid = np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), axis=-1).astype(np.float64)
    triangle = mesh.find_simplex(grid)
    inside = triangle >= 0
    transform = mesh.transform[triangle[inside]]
    first = np.einsum("nij,nj->ni", transform[:, :2], grid[inside] - transform[:, 2])
    weights = np.column_stack([first, 1 - first.sum(axis=1)]).astype(np.float32)
    return Unrolling(inside=inside, corners=numbers[mesh.simplices[triangle[inside]]], weights=weights)


def layout(topology: Topology) -> dict[int, tuple[float, float]]:
    """Place of each landmark that is used, by its number."""
    right = dict(zip((*topology.right_eye, *topology.right_brow), (*_EYE, *_BROW), strict=True))
    left_eye = [topology.left_eye[index] for index in (3, 2, 1, 0, 5, 4)]
    left_points = (*left_eye, *topology.left_brow[::-1])
    mirrored = [(-x, y) for x, y in (*_EYE, *_BROW)]
    places = right | dict(zip(left_points, mirrored, strict=True))
    places |= dict(zip((*topology.nose, *topology.mouth[2:], *topology.lips), _MIDDLE, strict=True))
    places |= {topology.mouth[0]: (-0.40, 1.16), topology.mouth[1]: (0.40, 1.16)}
    half = _BORDER if topology is MESH else _JAW
    other = [(-x, y) for x, y in half[-2::-1]]
    # the mesh's border begins at the forehead and goes down the person's left side, the jaw at the right ear
    border = (
        [(-x, y) for x, y in half] + [(-x, y) for x, y in other[:-1]] if topology is MESH else [*half, *other]
    )
    return places | {
        point: place for point, place in zip(topology.oval, border, strict=False) if point not in places
    }
