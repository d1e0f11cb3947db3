"""Picture of a room: a frame of every event with its true boxes."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from datamodules.synthetic.room.room import Room, draw_room
from datamodules.synthetic.room.script import EVENTS
from datamodules.synthetic.room.truth import Truth

Frame = NDArray[np.uint8]

_COLUMNS, _CELL = 5, (256, 192)
_OWN, _OTHER = (0, 158, 115), (213, 94, 0)


def events_picture(seed: int, path: Path) -> None:
    """Write one frame of the middle of each event, with what the truth says of it."""
    room = draw_room(seed)
    wanted = {_middle(room, event): event for event in EVENTS}
    cells = [_cell(frame, room.truth, t, wanted[t]) for t, frame in enumerate(room.frames()) if t in wanted]
    rows = [np.concatenate(cells[i : i + _COLUMNS], axis=1) for i in range(0, len(cells), _COLUMNS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR)):
        raise OSError(f"could not write {path}: is its folder writable?")


def _middle(room: Room, event: str) -> int:
    rows = np.flatnonzero([name == event for name in room.truth.event])
    share = 0.35 if event == "visitor near" else 0.5
    return int(rows[int(share * len(rows))])


def _cell(frame: Frame, truth: Truth, t: int, event: str) -> Frame:
    for box, color in ((truth.boxes[t], _OWN), (truth.other_boxes[t], _OTHER)):
        if np.isfinite(box).all():
            left, top, right, bottom = np.rint(box).astype(int).tolist()
            cv2.rectangle(frame, (left, top), (right, bottom), color, 3, cv2.LINE_AA)
    small = cv2.resize(frame, _CELL, interpolation=cv2.INTER_AREA)
    cell = np.full((_CELL[1] + 18, _CELL[0], 3), 255, dtype=np.uint8)
    cell[: _CELL[1]] = small
    why = ", ".join(name for name, rows in truth.reasons.items() if rows[t])
    text = f"{event}: {why or 'usable'}"
    cv2.putText(cell, text, (3, _CELL[1] + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (30, 30, 30), 1, cv2.LINE_AA)
    return cell
