"""The video reader that uses decord, confined to the material on which decord is exact."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from datamodules.readers.admission import admit, check_count, import_problem
from datamodules.readers.errors import unreadable
from datamodules.readers.index.packet_index import PacketIndex
from datamodules.readers.resize import resize
from datamodules.readers.torchcodec import EXACT_CONTAINERS, other_pixels
from datamodules.readers.video_reader import VideoReader, check_indices


class DecordReader(VideoReader):
    """Reads frames with decord 0.6, which silently returns wrong ones outside closed-GOP H.264.

    Args:
        path: H.264 in an mp4, mov, mkv or webm container, with closed groups of pictures and no edit list.

    Raises:
        UnsupportedVideo: on any other material, on a damaged file, or where decord is not installed.
        UnreadableVideo: if the file is missing, empty, truncated or corrupt.
    """

    def __init__(self, path: Path) -> None:
        index = admit(path, reader="decord", why_not=why_not)
        self._name = str(path)
        try:
            self._decoder = _module().VideoReader(self._name, num_threads=1)
        except Exception as error:  # decord raises its own class, derived from Exception only
            raise unreadable(self._name, str(error).strip().splitlines()[0]) from error
        check_count(len(self._decoder), index, path=path, reader="decord")
        super().__init__(index)

    def frames(self, indices: Sequence[int], *, size: tuple[int, int] | None = None) -> Tensor:
        """Return the frames `indices`: uint8 (T, 3, height, width), or of another size, RGB, upright."""
        self._check_usable()
        height, width = size or (self.height, self.width)
        wanted = check_indices(indices, self.n_frames, self._name)
        try:
            batch = self._decoder.get_batch(wanted).asnumpy()
        except Exception as error:  # see above
            raise unreadable(self._name, str(error).strip().splitlines()[0]) from error
        frames = torch.from_numpy(batch).permute(0, 3, 1, 2).contiguous()
        return resize(frames, height=height, width=width)

    def _release(self) -> None:
        del self._decoder  # the only way to close its file


def why_not(index: PacketIndex) -> str:
    """Say why decord is not used on a file; empty if it may be."""
    faults = {
        f"it does not load here ({load_problem()})": bool(load_problem()),
        f"the codec is {index.codec}, not h264": index.codec != "h264",
        f"the container is '{index.container}'": not any(n in index.container for n in EXACT_CONTAINERS),
        "its groups of pictures are open": index.open_gop,
        "frames behind its keyframes lean on earlier ones (intra refresh)": index.refresh,
        "its packets are not its frames": index.split,
        "an edit list hides or shifts frames": index.edited,
        "its frames have no usable times": not index.timed,
        other_pixels(index): bool(other_pixels(index)),
    }
    return "; ".join(reason for reason, holds in faults.items() if holds)


@functools.cache
def load_problem() -> str:
    """Say why decord does not load on this machine; empty if it does."""
    return import_problem(_module)


def _module() -> Any:
    """Import decord late: wheels exist for x86-64 only."""
    import decord

    return decord
