"""Where the rigid points of a face stand in the crop.

Our own layout: rounded from a few frontal faces and made symmetric. Unit: the distance between the centers of
the eyes (each the middle of its two corners); origin: the middle between them; x to the right in the picture,
y down. The eyes are level at y = 0, the forehead begins at -0.8, the chin rests at 1.8, the temples are at
x = -1.1 and 1.1.
"""

import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.topology import Topology

FACE_WIDTH = 2.2  # temple to temple, in distances between the eyes; our choice
CENTER_Y = 0.5  # middle between forehead and chin, in the same unit; our choice

_LAYOUT: dict[str, dict[int, tuple[float, float]]] = {
    "mesh": {
        **{10: (0.0, -0.82), 151: (0.0, -0.57), 9: (0.0, -0.30), 8: (0.0, -0.17)},  # forehead
        **{168: (0.0, -0.06), 6: (0.0, 0.07), 197: (0.0, 0.19), 195: (0.0, 0.30)},  # bridge of the nose
        **{33: (-0.72, -0.01), 133: (-0.28, 0.01), 362: (0.28, 0.01), 263: (0.72, -0.01)},  # eyes
        **{127: (-1.10, 0.03), 356: (1.10, 0.03)},  # temples
    },
    "ibug68": {
        **{27: (0.0, -0.05), 28: (0.0, 0.17), 29: (0.0, 0.38)},
        **{36: (-0.70, 0.0), 39: (-0.30, 0.0), 42: (0.30, 0.0), 45: (0.70, 0.0)},
        **{0: (-1.08, -0.03), 16: (1.08, -0.03)},
    },
}


def eye_distance(*, size: int, margin: float) -> float:
    """Pixels between the eyes in a crop of `size` pixels with `margin` face widths on each side."""
    return size / (FACE_WIDTH * (1 + 2 * margin))


def template(topology: Topology, *, size: int, margin: float) -> NDArray[np.float64]:
    """Places ``(R, 2)`` of the rigid points in pixels of the crop, whose centers are at whole numbers.

    Args:
        topology: Names the points.
        size: Side of the crop in pixels.
        margin: Space on each side of the face, as a share of its width.
    """
    layout = _LAYOUT[topology.name]
    points = np.array([layout[point] for point in topology.rigid])
    middle = (size - 1) / 2
    return middle + eye_distance(size=size, margin=margin) * (points - [0.0, CENTER_Y])
