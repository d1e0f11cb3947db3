"""Recordings of the cohort in rooms: the same persons, visits and labels, other videos."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from datamodules.synthetic import recording
from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.files import put_sealed, put_series
from datamodules.synthetic.latent import CHANNELS, Visit
from datamodules.synthetic.recording import CohortSettings, entry_path, recorded_series, recording_id
from datamodules.synthetic.room.room import Room
from datamodules.synthetic.room.script import EVENTS
from datamodules.synthetic.room.truth import Truth

FOLDER = "rooms"  # of the truth of each recording, in the cohort's folder
_SHAPE = (4, 3)  # width to height
_SMALLEST = 240  # a face of 12 % of the width has 38 pixels then
_SECONDS_PER_EVENT = 2.0
_ROOM = 300  # a stream beside those of `recording`


@dataclass(frozen=True, kw_only=True)
class RoomCohort(CohortSettings):
    """Settings of a cohort in rooms: `size` is the height of the picture, its width a third more.

    Raises:
        ValueError: pictures too small for a face in a room.
    """

    def __post_init__(self) -> None:
        """Refuse what has no face to find."""
        super().__post_init__()
        if self.size < _SMALLEST or self.size % (2 * _SHAPE[1]):
            raise ValueError(
                f"scene=room with size={self.size}: a room needs a height of {_SMALLEST} pixels or more, in "
                f"steps of {2 * _SHAPE[1]}; give data.cohort.size=480 for 640 x 480 pixels"
            )


def room_of(visit: Visit, settings: RoomCohort) -> Room:
    """The room of a visit; what happens in it knows nothing of severity."""
    series = recorded_series(visit, settings)
    seed = (settings.latent.seed, _ROOM, visit.person.index, visit.index)
    fps = settings.latent.fps
    count = min(int(len(series) / fps / _SECONDS_PER_EVENT), len(EVENTS))
    events = np.random.default_rng(seed).choice(EVENTS, count, replace=False).tolist()
    return Room(
        Appearance.draw(visit.person.appearance_seed),
        series,
        seed=seed,
        fps=fps,
        width=settings.size * _SHAPE[0] // _SHAPE[1],
        height=settings.size,
        events=events,
    )


def write_room(visit: Visit, settings: RoomCohort, folder: Path) -> None:
    """Write series, video and truth of a visit, then the entry that marks the recording as finished.

    Args:
        visit: the latent visit.
        settings: of the whole cohort.
        folder: the cohort's folder.
    """
    name, fps = recording_id(visit), settings.latent.fps
    room = room_of(visit, settings)
    series, truth = recorded_series(visit, settings), room.truth
    (folder / FOLDER).mkdir(exist_ok=True)
    made = {
        f"series/{name}.npz": recording._write_series(
            folder / "series" / f"{name}.npz", series, CHANNELS, fps
        ),
        f"{FOLDER}/{name}.npz": _write_truth(folder / FOLDER / f"{name}.npz", truth, fps),
    }
    view = recording.placement(visit, settings)
    row = recording._row(visit, settings, view, len(series)) | _view(truth, room) | {"landmark_path": ""}
    row |= {"series_path": f"series/{name}.npz"}
    row |= recording._write_video(folder, name, room.frames(), settings)
    made[row["path"]] = hashlib.sha256((folder / row["path"]).read_bytes()).hexdigest()
    row["content_hash"] = made[row["path"]]
    told = recording._truth(visit, settings, series)
    put_sealed(entry_path(folder, visit), {"row": row, "truth": told, "files": made})


def write_rooms(visits: Sequence[Visit], settings: RoomCohort, folder: Path) -> int:
    """Write several recordings in a worker, return how many."""
    cv2.setNumThreads(1)  # the workers share the cores already
    for visit in visits:
        write_room(visit, settings, folder)
    return len(visits)


def _view(truth: Truth, room: Room) -> dict[str, Any]:
    """What the camera sees of the face on the whole, as shares of the picture."""
    boxes = truth.boxes[truth.face]
    left, top, right, bottom = np.median(boxes, axis=0).tolist()
    return {
        "width": room.width,
        "height": room.height,
        "face_x": round((left + right) / 2 / room.width, 6),
        "face_y": round((top + bottom) / 2 / room.height, 6),
        "face_size": round((right - left) / max(room.width, room.height), 6),
    }


def _write_truth(path: Path, truth: Truth, fps: float) -> str:
    """One row a frame, as a series: boxes, what speaks against the frame, `valid` where nothing does."""
    boxes = {f"box_{side}": truth.boxes[:, j] for j, side in enumerate(("left", "top", "right", "bottom"))}
    columns = boxes | {
        "hidden": truth.hidden,
        "outside": truth.outside,
        "blur": truth.blur,
        "gain": truth.gain,
        "luminance": truth.luminance,
        "face": truth.face,
    }
    values = np.stack([np.asarray(column, dtype=np.float32) for column in columns.values()], axis=1)
    return put_series(path, values, channels=np.array(list(columns)), fps=np.float64(fps), valid=truth.usable)
