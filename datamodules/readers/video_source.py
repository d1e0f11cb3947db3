"""The `VideoSource` of clips: picklable settings that travel to the workers, never an open file."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from datamodules.readers import opening
from datamodules.readers.errors import UnreadableVideo
from datamodules.readers.index.index_cache import packet_index
from datamodules.readers.slices import EncodedClip, can_cut, cut


class VideoSource:
    """Reads clips of one size.

    It is picklable and holds nothing open: a reader lives only inside one call, in the process that calls.
    Frames that are kept stay behind when it is pickled.

    Args:
        height: height of the returned frames in pixels.
        width: width of the returned frames in pixels.
        reader: "auto", "pyav", "torchcodec" or "decord".
        decode: "worker" decodes in the data loader's worker (`clip`); "device" hands over the coded packets
            (`encoded`), which `DeviceDecoder` turns into frames beside the network; "auto" is settled for a
            training by `datamodules.clips.decoding.settled`, and is "worker" everywhere else.
        decode_threads: clips that are decoded at the same time where the device decodes; our choice.
        keep: videos whose frames stay in memory after they were read, at the size asked for; for short videos
            that are read every epoch (48 frames of 64 x 64 pixels take 0.6 MB). Those read last are kept.

    Raises:
        ValueError: if an argument has no meaning.

    Examples:
        >>> source = VideoSource(height=112, width=112)
        >>> source.clip(Path("visit.mp4"), range(0, 64, 4)).shape  # doctest: +SKIP
        torch.Size([16, 3, 112, 112])
    """

    def __init__(
        self,
        *,
        height: int,
        width: int,
        reader: str = "auto",
        decode: Literal["worker", "device", "auto"] = "worker",
        decode_threads: int = 4,
        keep: int = 0,
    ) -> None:
        if height < 1 or width < 1:
            raise ValueError(f"height and width must be positive, got {height} and {width}")
        if decode not in ("worker", "device", "auto"):
            raise ValueError(f"decode must be 'worker', 'device' or 'auto', got {decode!r}")
        if decode_threads < 1:
            raise ValueError(f"decode_threads must be positive, got {decode_threads}")
        if keep < 0 or (keep and decode == "device"):
            raise ValueError(
                f"keep={keep} with decode={decode!r}: keep 0 or more videos, and only those that "
                "are decoded in the worker"
            )
        opening.check_reader(reader)
        self.keep, self._kept = keep, OrderedDict[Path, Tensor]()
        self.height, self.width, self.reader, self.decode = height, width, reader, decode
        self.decode_threads = decode_threads

    def clip(self, path: Path, indices: Sequence[int]) -> Tensor:
        """Return the frames `indices`: uint8 (T, 3, height, width).

        Raises:
            UnreadableVideo: if the file or one of the frames cannot be read.
        """
        whole = self._whole(path) if self.keep else None
        if whole is not None and len(indices) and min(indices) >= 0 and max(indices) < len(whole):
            return whole[torch.as_tensor(indices)]
        return self._read(path, indices)

    def _read(self, path: Path, indices: Sequence[int] | None) -> Tensor:
        with opening.open_video(path, reader=self.reader) as video:
            wanted = range(video.n_frames) if indices is None else indices
            return video.frames(wanted, size=(self.height, self.width))

    def _whole(self, path: Path) -> Tensor | None:
        """All frames, from memory if they are there; None of a damaged video, which explains itself."""
        if path not in self._kept:
            try:
                # A copy: what was made while frames of the full size were still held lies above them in the
                # heap, where it keeps their memory from being used again, thirty times its own.
                self._kept[path] = self._read(path, None).clone()
            except UnreadableVideo:
                return None
        self._kept.move_to_end(path)
        while len(self._kept) > self.keep:
            self._kept.popitem(last=False)
        return self._kept[path]

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_kept": OrderedDict()}

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
