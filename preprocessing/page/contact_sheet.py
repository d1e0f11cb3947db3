"""Contact sheet of a recording: frames with the face found in them, its landmarks, and its crop."""

import cv2
import numpy as np

from preprocessing.faces.face import Frame
from preprocessing.page.mesh_lines import draw_box, draw_mesh
from preprocessing.page.reason_colors import USED, color, rgb
from preprocessing.quality.gate import Verdict
from preprocessing.tracking.track import Track

COLUMNS = 8
"""Frames on a sheet; this and all sizes are our choice."""
_TILE = 156  # px, width of a frame, sides of a close-up and of a crop
_THUMBNAIL = 118  # px, the most a frame's height may be: 4:3
_GAP = 4
_TEXT = 20  # px, a line of text
_EDGE = 3  # px, the colored edge of a crop
_CLOSE_UP = 1.25  # times the box
_MESH, _CROP, _WORDS = _THUMBNAIL + _GAP, _THUMBNAIL + _TILE + 2 * _GAP, _THUMBNAIL + 2 * (_TILE + _GAP)
WIDTH = COLUMNS * (_TILE + _GAP) - _GAP
HEIGHT = _WORDS + 2 * _TEXT
_WHITE, _INK, _WASH = (255, 255, 255), (36, 41, 47), (238, 241, 244)
_LIMIT = 150_000  # bytes


class ContactSheet:
    """Collects some frames of a recording while it is cropped, and draws them.

    Args:
        track: The person.

    Attributes:
        indices: frames that it wants: the middle ones of equal parts of the recording.
    """

    def __init__(self, track: Track) -> None:
        total = len(track.confidence)
        shown = min(COLUMNS, total)
        self.track = track
        self.indices = tuple((2 * part + 1) * total // (2 * shown) for part in range(shown))
        self._columns: dict[int, Frame] = {}

    def add(self, index: int, frame: Frame, crop: Frame) -> None:
        """Keep a frame, small, and its crop.

        Args:
            index: Number of the frame, one of `indices`.
            frame: ``(H, W, 3)``.
            crop: ``(S, S, 3)``.
        """
        column = np.full((HEIGHT, _TILE, 3), _WHITE, np.uint8)
        column[:_THUMBNAIL] = column[_MESH : _MESH + _TILE] = _WASH
        thumbnail = self._thumbnail(index, frame)
        height, width = thumbnail.shape[:2]
        top, left = (_THUMBNAIL - height) // 2, (_TILE - width) // 2
        column[top : top + height, left : left + width] = thumbnail
        if self.track.found[index]:
            column[_MESH : _MESH + _TILE] = self._close_up(index, frame)
        column[_CROP : _CROP + _TILE] = _small(crop, _TILE, _TILE)
        self._columns[index] = column

    def jpeg(self, verdict: Verdict) -> bytes:
        """The sheet as JPEG, at most 150 kB: below each crop, whether the frame is used or why not.

        Raises:
            ValueError: if no frame was added.
        """
        if not self._columns:
            raise ValueError("a contact sheet needs frames: add those that it names in indices")
        sheet = np.full((HEIGHT, WIDTH, 3), _WHITE, np.uint8)
        for place, (index, column) in enumerate(sorted(self._columns.items())):
            against = [reason for reason, frames in verdict.reasons.items() if frames[index]]
            _label(column, f"frame {index}", against)
            sheet[:, place * (_TILE + _GAP) :][:, :_TILE] = column
        return _encoded(sheet)

    def _thumbnail(self, index: int, frame: Frame) -> Frame:
        """The whole frame, as large as its place allows, with the box."""
        height, width = frame.shape[:2]
        scale = min(_TILE / width, _THUMBNAIL / height)
        small = _small(frame, max(round(width * scale), 1), max(round(height * scale), 1))
        if self.track.found[index]:
            to = np.array([small.shape[1] / width, small.shape[0] / height], np.float32)
            draw_box(small, self.track.boxes[index] * np.tile(to, 2))
        return small

    def _close_up(self, index: int, frame: Frame) -> Frame:
        """What is around the box, with the mesh."""
        left, top, right, bottom = self.track.boxes[index]
        side = max(float(right - left), float(bottom - top), 2.0) * _CLOSE_UP
        scale = _TILE / side
        corner = np.array([left + right - side, top + bottom - side]) / 2
        matrix = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
        close = np.full((_TILE, _TILE, 3), _WASH, np.uint8)
        cv2.warpAffine(frame, matrix, (_TILE, _TILE), dst=close, borderMode=cv2.BORDER_TRANSPARENT)
        points = (self.track.landmarks[index, :, :2] - corner) * scale
        draw_mesh(close, points, self.track.topology)
        return close


def _small(picture: Frame, width: int, height: int) -> Frame:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _label(column: Frame, name: str, against: list[str]) -> None:
    """Number of the frame, what speaks against it, and an edge of that color around the crop."""
    paint = rgb(color(against[0]) if against else USED)
    cv2.rectangle(column, (1, _CROP + 1), (_TILE - 2, _CROP + _TILE - 2), paint, _EDGE, cv2.LINE_4)
    cv2.rectangle(column, (0, _WORDS + 4), (9, _WORDS + 13), paint, cv2.FILLED)
    words = f"{' + '.join(against[:2])}{' ...' if len(against) > 2 else ''}" if against else "used"
    for line, text, left in ((1, words, 14), (2, name, 0)):
        place = (left, _WORDS + line * _TEXT - 6)
        cv2.putText(column, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.46, _INK, 1, cv2.LINE_AA)


def _encoded(sheet: Frame) -> bytes:
    """As good as the limit allows: noise is large."""
    blue_first = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
    for quality in (88, 75, 55, 30, 10):
        _, data = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(data) <= _LIMIT:
            break
    return data.tobytes()
