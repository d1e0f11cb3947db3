"""Decoding of coded clips on the training device, with a CUDA device's video engine or on the CPU."""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

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

    Args:
        height: height of the returned frames in pixels.
        width: width of the returned frames in pixels.
        threads: clips decoded at the same time, each by one thread with its own decoder.

    Example:
        >>> decoder = DeviceDecoder(height=112, width=112)
        >>> decoder([source.encoded(path, range(16))], torch.device("cuda")).shape  # doctest: +SKIP
        torch.Size([1, 16, 3, 112, 112])
    """

    def __init__(self, *, height: int, width: int, threads: int = 2) -> None:
        if threads < 1:
            raise ValueError(f"threads must be positive, got {threads}")
        self.height, self.width, self.threads = height, width, threads
        self._warned = threading.Event()

    def __call__(self, clips: Sequence[EncodedClip], device: torch.device) -> Tensor:
        """Return the frames of equally long clips: uint8 (B, T, 3, height, width) on `device`.

        Raises:
            UnreadableVideo: if a frame is damaged.
            ValueError: if there is no clip, or if the clips differ in length.
        """
        lengths = {len(clip.indices) for clip in clips}
        if len(lengths) != 1:
            raise ValueError(f"a batch needs clips of one length, got lengths {sorted(lengths)}")
        with ThreadPoolExecutor(self.threads, thread_name_prefix="decode") as pool:
            frames = list(pool.map(lambda clip: self._decode(clip, device), clips))
        if device.type == "cuda":
            for clip in frames:  # keep its memory until the stream that stacks it has read it
                clip.record_stream(torch.cuda.current_stream(device))
        return torch.stack(frames)

    def _decode(self, clip: EncodedClip, device: torch.device) -> Tensor:
        if clip.frames is not None:
            return clip.frames.to(device)
        if device.type != "cuda":
            return decode_cut(clip, size=(self.height, self.width)).to(device)
        # A new thread starts on device 0 and on the default stream, which would wait for the network.
        with torch.cuda.device(device), torch.cuda.stream(torch.cuda.Stream(device)):  # type: ignore[no-untyped-call]
            frames = resize(self._on_engine(clip, device), height=self.height, width=self.width)
            torch.cuda.current_stream(device).synchronize()
        return frames

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
                "only slower; see `python -m datamodules.checks.doctor`. This is said once.",
                clip.name,
                reason,
            )

    def __getstate__(self) -> dict[str, object]:
        return {key: value for key, value in vars(self).items() if key != "_warned"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state)
        self._warned = threading.Event()


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
