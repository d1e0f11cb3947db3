"""The recordings of a manifest as jobs."""

from datamodules.manifests.columns import FEATURES, FILES
from datamodules.manifests.manifest import Manifest
from preprocessing.cache.folder import cells
from preprocessing.run.job import Job

# what a row says of its video, which the clip has otherwise: measured anew
_OF_FILES = (
    *(*FILES, "content_hash", "fps", "n_frames", "duration_s", "width", "height", "brightness", "border"),
    *("blur", "face_x", "face_y", "face_size", "yaw", "pitch", "roll", "usable"),
)


def jobs_of(manifest: Manifest) -> tuple[list[Job], list[str]]:
    """The recordings of a manifest that have a video, and the ids of those that have none."""
    found, without = [], []
    rows = manifest.table.to_dict("records")
    for recording, row in zip(manifest.recordings(), rows, strict=True):
        if recording.path is None:
            without.append(recording.recording_id)
            continue
        known = cells({str(name): cell for name, cell in row.items()})
        labels = {
            name: cell
            for name, cell in known.items()
            if name not in _OF_FILES and not name.startswith(FEATURES)
        }
        tracked = recording.landmark_path or recording.series_path
        found.append(
            Job(recording_id=recording.recording_id, path=recording.path, tracked=tracked, labels=labels)
        )
    return found, without
