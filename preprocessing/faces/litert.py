"""The backend on the CPU: MediaPipe's face networks on LiteRT."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from preprocessing.faces.face import Faces, Frame
from preprocessing.faces.networks import LitertNetworks
from preprocessing.faces.topology import MESH
from preprocessing.faces.tracker import Tracker


class LitertFaces:
    """Full-range detector, mesh of 468 points and irises, with a tracker between frames.

    Args:
        models: Folder of the networks' files; by default the user's cache, which
            `python -m preprocessing.models` fills.
        max_faces: Faces that are followed at once.
        search_every: The whole frame is searched in every n-th frame, and in each while a face is missing.
        tracking: Whether a face is looked for where it was; without, the detector finds it anew.

    Raises:
        ModelError: In the first frame: a file is missing or is another one.
    """

    topology = MESH

    def __init__(
        self,
        *,
        models: str | Path | None = None,
        max_faces: int = 4,
        search_every: int = 15,
        tracking: bool = True,
    ) -> None:
        if max_faces < 1 or search_every < 1:
            raise ValueError(
                f"max_faces={max_faces}, search_every={search_every}: both count from 1; `tracking=false` "
                "searches every frame"
            )
        self.max_faces, self.search_every, self.tracking = max_faces, search_every, tracking
        self.networks = LitertNetworks(models)

    def faces(self, frames: Iterable[Frame], *, tracked: Path | None = None) -> Iterator[Faces]:
        """Yield the faces of each frame, in order."""
        every = self.search_every if self.tracking else 1
        tracker = Tracker(self.networks, max_faces=self.max_faces, search_every=every)
        for frame in frames:
            yield tracker.step(frame)

    def provenance(self) -> dict[str, Any]:
        """What the fingerprint keeps of it."""
        return {"backend": "litert", **self.networks.provenance()}
