"""Follow one person: the main face of a recording, never mixed with another one."""

from collections.abc import Iterable
from pathlib import Path

from preprocessing.faces.face import FaceBackend, Frame
from preprocessing.tracking.track import Track


def follow(frames: Iterable[Frame], backend: FaceBackend, *, tracked: Path | None = None) -> Track:
    """Find the faces of all frames and keep those of the main person, who is longest and largest in view."""
    raise NotImplementedError
