"""Where a data set gets its clips from: a recipe that travels to the workers, never an open file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from . import opening
from .packets import packet_index
from .resize import resize
from .slices import EncodedClip, can_cut, cut


class VideoSource:
    """Reads clips of one size.

    It is picklable and holds nothing open: a reader lives only inside one call, in the process that calls.

    Args:
        height: height of the returned frames in pixels.
        width: width of the returned frames in pixels.
        reader: "auto", "pyav", "torchcodec" or "decord".
        decode: "worker" decodes in the data loader's worker (`clip`); "device" hands over the coded packets
            (`encoded`), which `DeviceDecoder` turns into frames beside the network.

    Raises:
        ValueError: if an argument has no meaning.

    Example:
        >>> source = VideoSource(height=112, width=112)
        >>> source.clip(Path("visit.mp4"), range(0, 64, 4)).shape  # doctest: +SKIP
        torch.Size([16, 3, 112, 112])
    """

    def __init__(
        self, *, height: int, width: int, reader: str = "auto", decode: Literal["worker", "device"] = "worker"
    ) -> None:
        if height < 1 or width < 1:
            raise ValueError(f"height and width must be positive, got {height} and {width}")
        if decode not in ("worker", "device"):
            raise ValueError(f"decode must be 'worker' or 'device', got {decode!r}")
        opening.check_reader(reader)
        self.height, self.width, self.reader, self.decode = height, width, reader, decode

    def clip(self, path: Path, indices: Sequence[int]) -> Tensor:
        """Return the frames `indices`: uint8 (T, 3, height, width).

        Raises:
            UnreadableVideo: if the file or one of the frames cannot be read.
        """
        with opening.open_video(path, reader=self.reader) as video:
            return resize(video.frames(indices), height=self.height, width=self.width)

    def encoded(self, path: Path, indices: Sequence[int]) -> EncodedClip:
        """Return the coded packets that hold the frames `indices`, for `DeviceDecoder`.

        Material that cannot be cut (AV1, files without frame times) is decoded here and travels as frames.

        Raises:
            UnreadableVideo: if the file, or a packet of the clip, cannot be read.
        """
        if can_cut(packet_index(path)):
            return cut(path, indices)
        frames = self.clip(path, indices)
        nothing = torch.empty(0, dtype=torch.uint8)
        return EncodedClip(nothing, tuple(range(len(frames))), 0, frames, str(path))
