"""Precomputed faces: landmarks that another program has found, read from its tables.

OpenFace and DAIC-WOZ's `*_CLNF_features.txt` (68 points in pixels), py-feat (68 points or the mesh, in
pixels), LibreFace and MediaPipe's Face Landmarker (the mesh, as shares of the image).
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.series import UnreadableSeries, offered_channels, read_series
from datamodules.series.channel_schema import points
from datamodules.series.checks.counter_columns import TRACKING
from datamodules.series.formats.base import Format
from datamodules.series.formats.clnf import CLNF
from datamodules.series.formats.openface import OPENFACE
from datamodules.series.read import recognise
from datamodules.series.series import Series
from datamodules.series.table import numbers
from datamodules.wording import first_few
from preprocessing.faces.face import Faces, FloatArray, Frame
from preprocessing.faces.topology import IBUG68, MESH, Topology

_log = logging.getLogger(__name__)
REMEDY = (
    "name its file in the column 'landmark_path' of the input, or in 'series_path', which is read where "
    "'landmark_path' is empty; or take another backend, as face=litert"
)
_WITHOUT_IRIS = 468
_FRAME_COLUMNS = ("frame", "frame_idx")
_CONFIDENCES = ("confidence", "FaceScore")
_OFF_GRID = 0.25  # of a frame, our choice: beyond it times are those of a variable rate


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """How landmarks lie in the channels of a file; `shares` are of the width and height of the image."""

    topology: Topology
    prefix: str
    axes: str
    count: int
    shares: bool = False

    @property
    def channels(self) -> list[str]:
        return points(self.prefix, self.axes, self.count)


_LAYOUTS = (
    _Layout(topology=MESH, prefix="mesh_rel_", axes="xyz", count=MESH.count, shares=True),
    _Layout(topology=MESH, prefix="mesh_rel_", axes="xyz", count=_WITHOUT_IRIS, shares=True),
    _Layout(topology=MESH, prefix="mesh_", axes="xyz", count=MESH.count),
    _Layout(topology=MESH, prefix="mesh_", axes="xyz", count=_WITHOUT_IRIS),
    _Layout(topology=IBUG68, prefix="", axes="xy", count=IBUG68.count),
)


class PrecomputedFaces:
    """Faces out of the table that `tracked` names, one face a frame.

    Rows belong to frames by their frame numbers, else by their times where these are steps of one rate, else
    by their order. Frames without a row, and rows that the program marked as failed, have no face.

    Attributes:
        topology: that of the file which `faces` was called with last.
    """

    topology: Topology = IBUG68

    def faces(self, frames: Iterable[Frame], *, tracked: Path | None = None) -> Iterator[Faces]:
        """Yield the faces of each frame.

        Args:
            frames: Of the recording.
            tracked: The table of it.

        Raises:
            UnreadableSeries: There is no table, it holds no landmarks, or it is not of this recording: rows
                without a frame, another number of rows, or landmarks beyond the picture.
        """
        if tracked is None:
            raise UnreadableSeries(
                f"the backend `precomputed` needs a table of landmarks, and this recording has none; {REMEDY}"
            )
        table = LandmarkTable(tracked)
        self.topology = table.topology
        return table.faces(frames)

    def provenance(self) -> dict[str, Any]:
        """Who found the landmarks is told by the files only."""
        return {"name": "precomputed"}


class LandmarkTable:
    """Landmarks of a file, a row a frame as far as it tells.

    Args:
        path: The file.

    Raises:
        UnreadableSeries: It is damaged or holds no landmarks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._layout = _layout(path)
        self.topology = self._layout.topology
        series = read_series(path, channels=self._layout.channels)
        format_ = recognise(path)
        table = _tracking(format_, path)
        rows = format_.timeline(table, path, None).position
        self._points = _landmarks(series.values[rows], self._layout)
        found = series.valid[rows]
        self._confidence = np.where(found, _confidence(table, path), 0).astype(np.float32)
        self._frames = _frame_numbers(format_, table, path, series)

    def faces(self, frames: Iterable[Frame]) -> Iterator[Faces]:
        """Yield the face of each frame, or none.

        Raises:
            UnreadableSeries: The file is not of this recording.
        """
        order = np.arange(len(self._points)) if self._frames is None else self._frames
        rows = dict(zip(order.tolist(), range(len(order)), strict=True))
        number = -1
        for number, frame in enumerate(frames):
            height, width = frame.shape[:2]
            if not number:
                self._check_place(height, width)
            yield self._face(rows.get(number), height, width)
        self._check_count(number + 1, int(order.max()) + 1)

    def _face(self, row: int | None, height: int, width: int) -> Faces:
        if row is None or not self._confidence[row]:
            none = np.zeros((0, self.topology.count, 3), np.float32)
            return Faces(boxes=none[:, :4, 0], landmarks=none, confidence=none[:, 0, 0], searched=False)
        landmarks = self._in_pixels(self._points[row], height, width)[None]
        flat = landmarks[:, :, :2]
        boxes = np.concatenate([np.nanmin(flat, axis=1), np.nanmax(flat, axis=1)], axis=1)
        return Faces(
            boxes=boxes, landmarks=landmarks, confidence=self._confidence[row : row + 1], searched=False
        )

    def _in_pixels(self, landmarks: FloatArray, height: int, width: int) -> FloatArray:
        """Shares count from the corner of the picture, pixels from their middles; depth scales with x."""
        if not self._layout.shares:
            return landmarks
        scale, shift = np.array([width, height, width], np.float32), np.array([0.5, 0.5, 0], np.float32)
        return landmarks * scale - shift

    def _check_place(self, height: int, width: int) -> None:
        found = self._points[self._confidence > 0]
        if not len(found):
            return
        x, y = np.nanmedian(self._in_pixels(found, height, width)[..., :2], axis=(0, 1))
        if not (0 <= x < width and 0 <= y < height):
            raise UnreadableSeries(
                f"{self.path}: the face lies about ({x:.0f}, {y:.0f}), and the video has {width} x {height} "
                "pixels: the file was made from another recording or another size of it; extract it again"
            )

    def _check_count(self, frames: int, rows: int) -> None:
        """Refuse rows that have no frame; frames without a row are told, where their numbers tell which."""
        if rows == frames:
            return
        if self._frames is None:
            raise UnreadableSeries(
                f"{self.path}: {rows} rows, and the video has {frames} frames; nothing tells which frame a "
                "row belongs to: extract it again, or add a column 'frame'"
            )
        if rows > frames:
            raise UnreadableSeries(
                f"{self.path}: its rows go up to frame {rows} of the video, which has {frames}; it is of "
                "another recording, or of a longer one: extract it again, or correct its frame numbers"
            )
        _log.warning(
            "%s: its rows end with frame %d, and the video has %d; the others have no face",
            self.path,
            rows,
            frames,
        )


def _layout(path: Path) -> _Layout:
    held = offered_channels(path)
    for layout in _LAYOUTS:
        if set(layout.channels) <= set(held):
            return layout
    raise UnreadableSeries(
        f"{path}: holds no landmarks (found: {first_few(held)}), so there is no face to cut out; E-DAIC and "
        "LMVD publish none. Extract it again with them (OpenFace: -2Dfp), or take another backend"
    )


def _tracking(format_: Format, path: Path) -> pd.DataFrame:
    """Columns of time, quality and persons, of the rows that the series is read from."""
    wanted = {name for name in format_.header(path) if name in format_.skipped | TRACKING}
    return format_.rows(format_.load(path, wanted), path, [])


def _confidence(table: pd.DataFrame, path: Path) -> NDArray[np.float64]:
    """Of each row ``(n,)``; 1 where the file tells none."""
    for name in _CONFIDENCES:
        if name in table:
            return numbers(table, name, path)
    return np.ones(len(table))


def _landmarks(values: NDArray[np.float32], layout: _Layout) -> FloatArray:
    """Rows of landmarks ``(n, P, 3)``; NaN for the depth and the irises that a file does not tell."""
    landmarks = np.full((len(values), layout.topology.count, 3), np.nan, np.float32)
    own = values.reshape(len(values), len(layout.axes), layout.count)
    landmarks[:, : layout.count, : len(layout.axes)] = own.transpose(0, 2, 1)
    return landmarks


def _frame_numbers(
    format_: Format, table: pd.DataFrame, path: Path, series: Series
) -> NDArray[np.int64] | None:
    """Frame of each row ``(n,)``, counted from 0; None where nothing tells it."""
    for name in _FRAME_COLUMNS:
        if name in table:
            counted: NDArray[np.int64] = numbers(table, name, path).astype(np.int64)
            return np.asarray(counted - min(1 if format_ in (OPENFACE, CLNF) else 0, counted[0]))
    if series.seconds is None or series.fps is None:
        return None
    steps = series.seconds * series.fps
    placed: NDArray[np.int64] = np.round(steps).astype(np.int64)
    is_regular = np.abs(steps - placed).max() < _OFF_GRID and (np.diff(placed) > 0).all() and steps[0] >= 0
    return placed if is_regular else None
