"""Protocol of a store of aligned clips."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.face import Frame


class ClipStore(Protocol):
    """Writes the crops of a recording to one file that `datamodules.readers` reads back, frame for frame."""

    suffix: str

    def write(self, path: Path, crops: Iterable[Frame], seconds: NDArray[np.float64], *, fps: float) -> int:
        """Write all crops and return how many; the file appears when it is whole.

        Args:
            path: The file, with the store's `suffix`.
            crops: ``(S, S, 3)`` each.
            seconds: Times of the frames ``(T,)``.
            fps: Mean rate in 1/s.
        """
        ...
