"""The `Job` record: one recording that is to be done, as it travels to a worker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from preprocessing.cache.entry import Cell


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
