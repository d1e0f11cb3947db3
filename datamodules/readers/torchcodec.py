"""The video reader that uses torchcodec, faster on whole files, where it is installed and exact."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from datamodules.readers.admission import admit, check_count, import_problem
from datamodules.readers.errors import unreadable
from datamodules.readers.index.packet_index import PacketIndex
from datamodules.readers.resize import resize
from datamodules.readers.video_reader import VideoReader, check_indices

EXACT_CONTAINERS = ("mp4", "mov", "matroska", "webm")  # elsewhere even its exact mode returns wrong frames


class TorchcodecReader(VideoReader):
    """Reads frames with torchcodec in its exact mode; same pixels as PyAV at native size.

    Args:
        path: video file in an mp4, mov, mkv or webm container.

    Raises:
        UnsupportedVideo: if torchcodec does not load here, is not exact on this material, or if a frame is
            damaged: it would be painted over.
        UnreadableVideo: if the file is missing, empty, truncated or corrupt.
    """

    def __init__(self, path: Path) -> None:
        self.index = admit(path, reader="torchcodec", why_not=why_not)
        self._name = str(path)
        try:
            self._decoder = decoder_class()(
                self._name, stream_index=self.index.stream, seek_mode="exact", num_ffmpeg_threads=1
            )
        except (RuntimeError, ValueError) as error:
            raise unreadable(self._name, error) from error
        check_count(len(self._decoder), self.index, path=path, reader="torchcodec")
        super().__init__(self.index)

    def frames(self, indices: Sequence[int], *, size: tuple[int, int] | None = None) -> Tensor:
        """Return the frames `indices`: uint8 (T, 3, height, width), or of another size, RGB, upright.

        Raises:
            UnreadableVideo: if a frame cannot be decoded, or another one came back.
        """
        self._check_usable()
        height, width = size or (self.height, self.width)
        wanted = check_indices(indices, self.n_frames, self._name)
        try:
            batch = self._decoder.get_frames_at(wanted)
        except (RuntimeError, IndexError) as error:
            raise unreadable(self._name, error) from error
        expected = [float(self.index.pts[rank] * self.index.time_base) for rank in wanted]
        tolerance = 0.25 / max(self.fps, 1.0)  # a neighbor is a whole frame away
        for rank, seconds, found in zip(wanted, expected, batch.pts_seconds.tolist(), strict=True):
            if self.index.timed and abs(seconds - found) > tolerance:
                raise unreadable(
                    self._name, f"frame {rank} was asked for, the one at {found:.3f} s came back"
                )
        frames: Tensor = batch.data
        return resize(frames, height=height, width=width)

    def _release(self) -> None:
        del self._decoder  # the only way to close its file


def why_not(index: PacketIndex) -> str:
    """Say why torchcodec is not used on a file; empty if it may be."""
    problem = load_problem()
    if problem:
        return f"it does not load here ({problem})"
    if not any(name in index.container for name in EXACT_CONTAINERS):
        return f"it miscounts frames in the container '{index.container}'"
    if not index.timed:
        return "the frames of this file have no usable times"
    if index.codec == "h264" and index.open_gop:
        return "it loses the last frames of H.264 with open groups of pictures"
    if index.split:
        return "its packets are not its frames"
    if index.refresh:
        return "it shows debris where frames behind a keyframe lean on earlier ones (intra refresh)"
    return other_pixels(index)


def other_pixels(index: PacketIndex) -> str:
    """Say why the colors would differ from PyAV's (another version of FFmpeg converts them)."""
    if index.bits > 8:
        return f"its {index.bits}-bit colors would be converted differently"
    if index.interlaced:
        return "its interlaced colors would be converted differently"
    return ""


@functools.cache
def load_problem() -> str:
    """Say why torchcodec does not load on this machine; empty if it does."""
    return import_problem(decoder_class)


def decoder_class() -> Any:
    """Import torchcodec late: it needs FFmpeg's shared libraries, which not every machine has.

    Raises:
        ImportError: if it is not installed, or found no FFmpeg (it imports all the same: its image decoders
            need none).
    """
    import torchcodec

    if getattr(torchcodec, "ffmpeg_major_version", None) is None:
        raise ImportError("found no shared libraries of FFmpeg")
    return torchcodec.decoders.VideoDecoder
