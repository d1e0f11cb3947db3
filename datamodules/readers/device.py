"""Decoding of coded clips on the training device, with a CUDA device's video engine or on the CPU."""

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch
from torch import Tensor

from datamodules.commands import typed
from datamodules.readers.errors import UnreadableVideo
from datamodules.readers.pyav import turn
from datamodules.readers.resize import resize
from datamodules.readers.slices import EncodedClip, decode_cut
from datamodules.readers.torchcodec import decoder_class, load_problem

_log = logging.getLogger(__name__)


class DeviceDecoder:
    """Decodes a batch of coded clips with a pool of threads, on a CUDA device by its video engine.

    The engine converts colors a little differently from the CPU decoders, so pixels agree within a few
    levels there; on the CPU they equal those of a worker bit by bit. Where the engine cannot decode (no
    torchcodec, no driver library, or a codec it lacks) the CPU does, after one warning.

    Frames never leave the device. At full size at most `threads` clips are there at a time; beside them a
    batch takes B x T x 3 x height x width bytes. All of it runs on a stream of its own, so that neither the
    network waits for a clip nor a clip for the network.

    Args:
        height: height of the returned frames in pixels.
        width: width of the returned frames in pixels.
        threads: clips decoded at the same time, each by one thread with its own decoder.

    Examples:
        >>> decoder = DeviceDecoder(height=112, width=112)
        >>> decoder([source.encoded(path, range(16))], torch.device("cuda")).shape  # doctest: +SKIP
        torch.Size([1, 16, 3, 112, 112])
    """

    def __init__(self, *, height: int, width: int, threads: int = 4) -> None:
        if threads < 1:
            raise ValueError(f"threads must be positive, got {threads}")
        self.height, self.width, self.threads = height, width, threads
        self._begin()

    def _begin(self) -> None:
        self._warned = threading.Event()
        self._pool: ThreadPoolExecutor | None = None
        self._streams: dict[int, torch.cuda.Stream] = {}

    def __call__(self, clips: Sequence[EncodedClip], device: torch.device) -> Tensor:
        """Return the frames of equally long clips: uint8 (B, T, 3, height, width) on `device`.

        Raises:
            UnreadableVideo: if a frame is damaged.
            ValueError: if there is no clip, or if the clips differ in length.
        """
        lengths = {len(clip.indices) for clip in clips}
        if len(lengths) != 1:
            raise ValueError(f"a batch needs clips of one length, got lengths {sorted(lengths)}")
        if self._pool is None:  # kept: a thread of the engine is slow to begin
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="decode")
        shape = (len(clips), *lengths, 3, self.height, self.width)
        with self.aside(device):
            frames = torch.empty(shape, dtype=torch.uint8, device=device)
            tasks = [
                self._pool.submit(self._decode, clip, row) for clip, row in zip(clips, frames, strict=True)
            ]
            faults = [fault for task in tasks if (fault := task.exception()) is not None]
        if faults:
            raise faults[0]
        return frames

    @contextmanager
    def aside(self, device: torch.device) -> Iterator[None]:
        """Work beside the network: on a stream of its own on a CUDA device, which is waited for at the end.

        Only the thread that calls waits. What was made there may be used by the stream of the network.
        """
        if device.type != "cuda":
            yield
            return
        index = torch.cuda.current_device() if device.index is None else device.index
        if index not in self._streams:
            self._streams[index] = torch.cuda.Stream(index)  # type: ignore[no-untyped-call]
        with torch.cuda.device(index), torch.cuda.stream(self._streams[index]):
            yield
            self._streams[index].synchronize()

    def _decode(self, clip: EncodedClip, into: Tensor) -> None:
        """Write the frames of a clip to its row of the batch."""
        device = into.device
        with self.aside(device):  # a new thread starts on device 0 and on the default stream
            if clip.frames is not None:
                into.copy_(clip.frames)
            elif device.type != "cuda":
                into.copy_(decode_cut(clip, size=(self.height, self.width)))
            else:
                into.copy_(resize(self._on_engine(clip, device), height=self.height, width=self.width))

    @property
    def fell_back(self) -> bool:
        """Whether the CPU had to decode for a CUDA device."""
        return self._warned.is_set()

    def _on_engine(self, clip: EncodedClip, device: torch.device) -> Tensor:
        reason = load_problem()
        if not reason:
            try:
                frames, reason = decode_with_torchcodec(clip, device)
            except (RuntimeError, IndexError, ValueError) as error:
                reason = str(error).strip().partition("\n")[0]
            else:
                if reason:
                    self._warn(clip, reason)
                return frames
        # A damaged clip raises here, before the engine is blamed for it.
        frames = decode_cut(clip, size=(self.height, self.width)).to(device)
        self._warn(clip, reason)
        return frames

    def _warn(self, clip: EncodedClip, reason: str) -> None:
        if not self._warned.is_set():
            self._warned.set()
            _log.warning(
                "%s: decoded on the CPU, not on the GPU's video engine (%s). The frames are right, "
                "only slower; see `%s`. This is said once.",
                clip.name,
                reason,
                typed("doctor"),
            )

    def __getstate__(self) -> dict[str, object]:
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state)
        self._begin()


def decode_with_torchcodec(clip: EncodedClip, device: torch.device) -> tuple[Tensor, str]:
    """Decode a slice with torchcodec: the frames (T, 3, H, W) on `device`, and why its engine was not used.

    Raises:
        RuntimeError: if torchcodec cannot decode it.
        UnreadableVideo: if the slice does not hold as many frames as it should.
    """
    decoder = decoder_class()(clip.data, device=device, seek_mode="exact", num_ffmpeg_threads=1)
    if len(decoder) <= max(clip.indices):
        raise UnreadableVideo(f"{clip.name}: torchcodec finds only {len(decoder)} frames in a coded clip")
    frames: Tensor = decoder.get_frames_at(list(clip.indices)).data
    fallback = decoder.cpu_fallback if device.type == "cuda" else None
    return turn(frames, clip.rotation).contiguous(), str(fallback) if fallback else ""
