"""Decoding of a batch's coded clips on the device, beside the network, and what happens to damaged ones."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from datamodules.clips.collate import EmptyBatch, keep_rows
from datamodules.clips.dataset import ClipSource, PixelClips
from datamodules.readers import DeviceDecoder, EncodedClip, UnreadableVideo


def on_device(source: ClipSource) -> bool:
    """Whether clips are decoded on the device, so that the workers hand over coded ones."""
    return isinstance(source, PixelClips) and source.video.decode == "device"


def works_ahead(source: ClipSource, device: torch.device) -> bool:
    """Whether frames are made on the device, or copied to it, while the network works on those before."""
    return isinstance(source, PixelClips) and (device.type == "cuda" or on_device(source))


class BatchDecoding:
    """Replaces `encoded` by `frames` in a batch that has it.

    Damage inside a clip shows only here. In training such clips leave the batch; elsewhere they stop the run.

    Args:
        source: Where the batches come from: it knows the size of the frames.
        skip: Told the recording and the reason of every clip that is left out.
    """

    def __init__(self, *, source: ClipSource, skip: Callable[[str, str], None]) -> None:
        self._skip = skip
        if isinstance(source, PixelClips):
            video = source.video
            sizes = {"height": video.height, "width": video.width, "threads": video.decode_threads}
            self._decode = DeviceDecoder(**sizes)

    def __call__(self, batch: dict[str, Any], *, device: torch.device, training: bool) -> dict[str, Any]:
        """Return the batch with frames uint8 (B, T, 3, H, W) on the device; padded frames are 0.

        Frames of a worker are copied to a CUDA device beside the network, from pinned memory.

        Raises:
            UnreadableVideo: A clip is damaged, outside training.
            EmptyBatch: All of them are, in training.
        """
        if "encoded" not in batch:
            return self._copied(batch, device)
        batch = dict(batch)
        encoded: list[EncodedClip] = batch.pop("encoded")
        try:
            frames = self._decode(encoded, device)
        except UnreadableVideo:
            if not training:
                raise
            batch, frames = self._what_is_left(batch, encoded, device)
        with self._decode.aside(device):
            mask = batch["mask"].to(device)
            frames.mul_(mask[:, :, None, None, None])
        return self._handed_over(batch | {"frames": frames, "mask": mask})

    def _copied(self, batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
        if device.type != "cuda" or "frames" not in batch or batch["frames"].device == device:
            return batch
        with self._decode.aside(device):
            frames = batch["frames"].to(device, non_blocking=True)
        return self._handed_over(batch | {"frames": frames})

    @staticmethod
    def _handed_over(batch: dict[str, Any]) -> dict[str, Any]:
        """Keep the memory of frames made on another stream until the network's stream has read them."""
        for name in ("frames", "mask"):
            if batch[name].device.type == "cuda":
                batch[name].record_stream(torch.cuda.default_stream(batch[name].device))
        return batch

    def _what_is_left(
        self, batch: dict[str, Any], encoded: Sequence[EncodedClip], device: torch.device
    ) -> tuple[dict[str, Any], Tensor]:
        frames: dict[int, Tensor] = {}
        faults: list[str] = []
        for row, clip in enumerate(encoded):
            try:
                frames[row] = self._decode([clip], device)
            except UnreadableVideo as fault:
                faults.append(str(fault))
                self._skip(batch["recording_id"][row], str(fault))
        if not frames:
            raise EmptyBatch(f"no clip of a batch could be decoded; repair or remove them: {faults}")
        with self._decode.aside(device):
            return keep_rows(batch, list(frames)), torch.cat(list(frames.values()))
