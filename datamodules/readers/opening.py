"""Opening of a video with the reader of a given name."""

from collections.abc import Callable, Mapping
from pathlib import Path

from datamodules.readers.decord import DecordReader
from datamodules.readers.pyav import PyavReader
from datamodules.readers.torchcodec import TorchcodecReader
from datamodules.readers.video_reader import VideoReader

READERS: Mapping[str, Callable[[Path], VideoReader]] = {
    "auto": PyavReader,  # the only one that notices damage without decoding all of the file first
    "pyav": PyavReader,
    "torchcodec": TorchcodecReader,
    "decord": DecordReader,
}


def check_reader(reader: str) -> None:
    """Refuse an unknown name.

    Raises:
        ValueError: naming the known ones.
    """
    if reader not in READERS:
        raise ValueError(f"reader {reader!r} is unknown; choose one of {', '.join(READERS)}")


def open_video(path: str | Path, *, reader: str = "auto") -> VideoReader:
    """Open a video for exact access to its frames; use it as a context manager.

    Args:
        path: video file.
        reader: "auto" (the same as "pyav"), "pyav", "torchcodec" or "decord". The last two decode all of a
            file when they meet it first, to refuse it if it is damaged.

    Raises:
        UnreadableVideo: if the file is missing, empty, truncated or corrupt.
        UnsupportedVideo: if the named reader would return wrong frames for this file, whole or damaged.
        ValueError: if the reader is unknown.

    Examples:
        >>> with open_video("visit.mp4") as video:  # doctest: +SKIP
        ...     video.frames([0, 10, 20]).shape
        torch.Size([3, 3, 480, 640])
    """
    check_reader(reader)
    return READERS[reader](Path(path))
