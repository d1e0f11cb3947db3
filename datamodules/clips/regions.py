"""Region crops: brows, eyes, nose and mouth of aligned faces, as one picture of two by two.

Aligned faces stand still, so a region is a fixed box of the crop. The boxes are shares of a crop as
`preprocess.py` makes it by default (a margin of 0.25 face widths on each side); they are our choice, wide
enough for raised brows and an open mouth.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from datamodules.clips.faces import FaceClips
from datamodules.manifests.manifest import Recording
from datamodules.readers import VideoSource

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the crop."""

REGIONS: dict[str, Box] = {
    "brows": (0.14, 0.09, 0.86, 0.38),
    "eyes": (0.18, 0.24, 0.82, 0.46),
    "nose": (0.28, 0.27, 0.72, 0.64),
    "mouth": (0.20, 0.46, 0.80, 0.88),
}
"""By name, in the order of the mosaic: first row, then second."""


def mosaic(frames: Tensor, *, margin: float = 0.25) -> Tensor:
    """Put the four regions of aligned faces side by side, each stretched over a quarter of the picture.

    Args:
        frames: uint8 (T, 3, H, W), H and W even.
        margin: With which the faces were cut out, as a share of their width.

    Raises:
        ValueError: A side is odd.
    """
    height, width = frames.shape[-2:]
    if height % 2 or width % 2:
        raise ValueError(f"pictures of {width} x {height}: four regions need even sides")
    quarters = [_cut(frames, scaled(box, margin=margin)) for box in REGIONS.values()]
    rows = [torch.cat(quarters[:2], dim=-1), torch.cat(quarters[2:], dim=-1)]
    return torch.cat(rows, dim=-2)


def scaled(box: Box, *, margin: float) -> Box:
    """A box in a crop of another margin: the middle of the face is the middle of every crop."""
    ratio = 1.5 / (1 + 2 * margin)
    left, top, right, bottom = (min(max(0.5 + ratio * (edge - 0.5), 0.0), 1.0) for edge in box)
    return (left, top, right, bottom)


def _cut(frames: Tensor, box: Box) -> Tensor:
    height, width = frames.shape[-2:]
    left, right = round(box[0] * width), round(box[2] * width)
    top, bottom = round(box[1] * height), round(box[3] * height)
    part = frames[..., top:bottom, left:right].float()
    size = (height // 2, width // 2)
    small = functional.interpolate(part, size=size, mode="bilinear", align_corners=False, antialias=True)
    return small.round().clamp(0, 255).to(frames.dtype)


class RegionClips(FaceClips):
    """Clips of the four regions of aligned faces: `frames` uint8 (T, 3, H, W), as `mosaic` lays them out.

    Args:
        video: Reads frames of one size, decoded in the worker.
        margin: With which the faces were cut out; `aligner.margin` of `preprocess.py`.

    Raises:
        ValueError: The video source hands over coded packets.
    """

    def __init__(self, *, video: VideoSource, margin: float = 0.25) -> None:
        super().__init__(video=video)
        if self.video.decode != "worker":
            raise ValueError(
                f"regions are cut in the worker: set data.module.source.video.decode=worker, not "
                f"{self.video.decode}"
            )
        self.margin = margin

    def clip(self, recording: Recording, indices: Sequence[int]) -> dict[str, Any]:
        """Read the frames and cut their regions out.

        Raises:
            UnreadableVideo: The video is missing or damaged; likewise UnreadableSeries.
        """
        content = super().clip(recording, indices)
        if "frames" in content:
            content["frames"] = mosaic(content["frames"], margin=self.margin)
        return content
