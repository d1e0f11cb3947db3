"""Contact sheet of a recording: frames with box and mesh above their crops."""

from preprocessing.faces.face import Frame
from preprocessing.quality.gate import Verdict
from preprocessing.tracking.track import Track


class ContactSheet:
    """Collects some frames of a recording while it is cropped, and draws them.

    Args:
        track: The person.
        columns: Frames shown.

    Attributes:
        indices: frames that it wants, spread evenly over the recording.
    """

    def __init__(self, track: Track, *, columns: int = 8) -> None:
        self.track = track
        self.indices: tuple[int, ...] = ()

    def add(self, index: int, frame: Frame, crop: Frame) -> None:
        """Keep a frame, small, and its crop."""
        raise NotImplementedError

    def jpeg(self, verdict: Verdict) -> bytes:
        """The sheet as JPEG: which frames are used, and why others are not, is written below each."""
        raise NotImplementedError
