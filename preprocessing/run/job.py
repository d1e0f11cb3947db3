"""The `Job` record: one recording that is to be done, as it travels to a worker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from datamodules.manifests.columns import FILES
from datamodules.manifests.manifest import Manifest
from preprocessing.cache.entry import Cell
from preprocessing.cache.folder import cells

# what a row says of its video, which the clip has otherwise: measured anew
_OF_FILES = (
    *(*FILES, "content_hash", "fps", "n_frames", "duration_s", "width", "height", "brightness", "border"),
    *("blur", "face_x", "face_y", "face_size", "yaw", "pitch", "roll"),
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One recording.

    Attributes:
        recording_id: its id.
        path: of its video.
        tracked: table of landmarks that its row names, for the backend `precomputed`.
        labels: cells of its row but those of files.
    """

    recording_id: str
    path: Path
    tracked: Path | None = None
    labels: Mapping[str, Cell] = field(default_factory=dict)


def jobs_of(manifest: Manifest) -> tuple[list[Job], list[str]]:
    """The recordings of a manifest that have a video, and the ids of those that have none."""
    found, without = [], []
    rows = manifest.table.to_dict("records")
    for recording, row in zip(manifest.recordings(), rows, strict=True):
        if recording.path is None:
            without.append(recording.recording_id)
            continue
        labels = {name: cell for name, cell in cells(row).items() if name not in _OF_FILES}
        tracked = recording.landmark_path or recording.series_path
        found.append(
            Job(recording_id=recording.recording_id, path=recording.path, tracked=tracked, labels=labels)
        )
    return found, without
