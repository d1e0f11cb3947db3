"""How far a damaged video can be read."""

from pathlib import Path
from typing import NamedTuple

import av

from datamodules.readers.container import decode, open_container, video_stream
from datamodules.readers.errors import UnreadableVideo


class ReadablePart(NamedTuple):
    """What decodes from the start of a file.

    Attributes:
        frames: how many, so that the frame of this number is the first that does not.
        seconds: when that frame would be shown, counted from the first one.
    """

    frames: int
    seconds: float


def readable_part(path: Path) -> ReadablePart | None:
    """Decode a damaged file from its start to the first fault; None where not even one frame decodes."""
    times: list[float] = []
    try:
        with open_container(path) as container:
            for packet in container.demux(video_stream(container, str(path))):
                if (frames := decode(packet)) is None:
                    break
                times.extend(frame.time for frame in frames if frame.time is not None)
    except (av.error.FFmpegError, EOFError, OSError, UnreadableVideo):
        pass  # what came before is what there is
    if not times:
        return None
    step = (times[-1] - times[0]) / max(len(times) - 1, 1)
    return ReadablePart(len(times), times[-1] - times[0] + step)
