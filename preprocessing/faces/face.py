"""What a backend says of a frame, and the protocol that all backends follow."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.topology import Topology

Frame = NDArray[np.uint8]
"""RGB, upright, ``(H, W, 3)``."""
FloatArray = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Faces:
    """The `K` faces of one frame, those of earlier frames first and in the same order.

    Attributes:
        boxes: ``(K, 4)`` left, top, right, bottom in pixels, around the landmarks.
        landmarks: ``(K, P, 3)`` in pixels, whole numbers in the middles of pixels as OpenCV counts them;
            `P` as the backend's topology has it; depth in the same unit,
            smaller is nearer; NaN where a backend tells none.
        confidence: ``(K,)`` that there is a face, 0 to 1.
        searched: whether the whole frame was searched, so that a further face would have been seen.
    """

    boxes: FloatArray
    landmarks: FloatArray
    confidence: FloatArray
    searched: bool = True


class FaceBackend(Protocol):
    """Protocol of a backend; it is picklable, and opens its networks where it is first called."""

    topology: Topology

    def faces(self, frames: Iterable[Frame], *, tracked: Path | None = None) -> Iterator[Faces]:
        """Yield the faces of each frame of one recording, in order, from its first frame to its last.

        Args:
            frames: Of the recording.
            tracked: What another program wrote of this recording; only `precomputed` reads it.
        """
        ...

    def provenance(self) -> dict[str, Any]:
        """Plain facts for the fingerprint: name, version of the runtime, digests and licences of networks."""
        ...
