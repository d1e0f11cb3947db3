"""Tables of MediaPipe's Face Landmarker: 52 blendshapes, 478 (or 468) landmarks, or both.

https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker. There is no standard table; read are
blendshapes under their names and landmarks `x_0 ... z_477` as shares of the image. Time is `timestamp_ms`,
as the Landmarker's video mode counts it, or `timestamp` in seconds; `frame` counts from 0. A frame without a
face is an empty row, or is missing.
"""

from datamodules.series.channel_schema import BLENDSHAPES, MESH_POINTS, Column, points
from datamodules.series.formats.base import Format, counted_from

_WITHOUT_IRIS = 468
_FEWEST = set(BLENDSHAPES) - {"_neutral"}  # a constant that many tables leave out
_MESH = set(points("", "xyz", _WITHOUT_IRIS))
COLUMNS = {name: Column(channel=name) for name in BLENDSHAPES} | {
    name: Column(channel=f"mesh_rel_{name}") for name in points("", "xyz", MESH_POINTS)
}


MEDIAPIPE = Format(
    name="MediaPipe",
    recognises=lambda _, names: set(names) >= _FEWEST or set(names) >= _MESH,
    columns=COLUMNS,
    timeline=counted_from(0),
)
