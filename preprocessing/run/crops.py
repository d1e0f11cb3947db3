"""The second pass over a recording: its crops, and what is seen while they are at hand."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datamodules.readers import open_video
from datamodules.readers.stream import FrameStream
from preprocessing.alignment.aligner import Aligner
from preprocessing.faces.face import Frame
from preprocessing.page.contact_sheet import ContactSheet
from preprocessing.quality.crop_facts import CropFacts, measure
from preprocessing.tracking.track import Track


class Crops:
    """The crops of all frames, decoded, cut and measured one by one as they are asked for.

    Args:
        aligner: Cuts them.
        stream: The frames.
        track: The person.

    Attributes:
        sheet: shows some of them.
        facts: of each crop that was asked for; None where there is no face.
    """

    def __init__(self, aligner: Aligner, stream: FrameStream, track: Track) -> None:
        self._aligner, self._stream, self._track = aligner, stream, track
        self.sheet = ContactSheet(track)
        self.facts: list[CropFacts | None] = []

    def __iter__(self) -> Iterator[Frame]:
        """Yield the crops in order; a second time from the start."""
        self.facts.clear()
        matrices = self._aligner.matrices(self._track, self._stream.seconds)
        shown, found = frozenset(self.sheet.indices), self._track.found
        for index, frame in enumerate(self._stream):
            landmarks = self._track.landmarks[index]
            crop = self._aligner.crop(frame, matrices[index], landmarks)
            self.facts.append(measure(crop, _moved(landmarks, matrices[index])) if found[index] else None)
            if index in shown:
                self.sheet.add(index, frame, crop)
            yield crop

    def show_nobody(self, path: Path) -> None:
        """Put frames of a video without a face on the sheet: why there is none is seen at a glance."""
        nothing = np.zeros((self._aligner.size, self._aligner.size, 3), np.uint8)
        self.facts = [None] * len(self._track.confidence)
        with open_video(path) as video:
            for index in self.sheet.indices:
                frame = video.frames([index])[0].permute(1, 2, 0).contiguous().numpy()
                self.sheet.add(index, frame, nothing)


def _moved(landmarks: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Landmarks ``(P, 2)`` in pixels of the crop."""
    return np.asarray(landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2], dtype=np.float32)
