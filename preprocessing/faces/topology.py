"""Which landmark is which: groups of point numbers of the two meshes that are in use.

`right` and `left` are the person's own, so the right eye lies left in the picture. Numbers of the mesh: the
canonical face model of MediaPipe (Apache-2.0); of the 68 points: Sagonas et al., ICCV-W 2013.
"""

from dataclasses import dataclass

Points = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Topology:
    """Groups of landmarks.

    Attributes:
        name: `mesh` or `ibug68`.
        count: how many there are.
        rigid: those that the face moves least: forehead or nose bridge, corners of the eyes, temples.
        right_eye: outer corner, two of the upper lid, inner corner, two of the lower lid (inner first).
        left_eye: inner corner, two of the upper lid, outer corner, two of the lower lid (outer first).
        right_brow: from the outside in.
        left_brow: from the inside out.
        mouth: right corner, left corner, middle of the upper lip's and of the lower lip's inner edge.
        lips: middle of the upper lip's and of the lower lip's outer edge.
        nose: bridge, tip, and the base below it.
        chin: its lowest point.
        oval: border of the face, closed; the 68 points know only the jaw and the brows.
        right_iris: center, then four of its border; empty where a mesh has none.
        left_iris: as `right_iris`.
    """

    name: str
    count: int
    rigid: Points
    right_eye: Points
    left_eye: Points
    right_brow: Points
    left_brow: Points
    mouth: Points
    lips: Points
    nose: Points
    chin: int
    oval: Points
    right_iris: Points = ()
    left_iris: Points = ()


MESH = Topology(
    name="mesh",
    count=478,
    rigid=(10, 151, 9, 8, 168, 6, 197, 195, 33, 133, 362, 263, 127, 356),
    right_eye=(33, 160, 158, 133, 153, 144),
    left_eye=(362, 385, 387, 263, 373, 380),
    right_brow=(70, 63, 105, 66, 107),
    left_brow=(336, 296, 334, 293, 300),
    mouth=(61, 291, 13, 14),
    lips=(0, 17),
    nose=(168, 1, 2),
    chin=152,
    oval=(
        *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
        *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
    ),
    right_iris=(468, 469, 470, 471, 472),
    left_iris=(473, 474, 475, 476, 477),
)
IBUG68 = Topology(
    name="ibug68",
    count=68,
    rigid=(27, 28, 29, 36, 39, 42, 45, 0, 16),
    right_eye=(36, 37, 38, 39, 40, 41),
    left_eye=(42, 43, 44, 45, 46, 47),
    right_brow=(17, 18, 19, 20, 21),
    left_brow=(22, 23, 24, 25, 26),
    mouth=(48, 54, 62, 66),
    lips=(51, 57),
    nose=(27, 30, 33),
    chin=8,
    oval=(*range(17), 26, 25, 24, 19, 18, 17),
)
