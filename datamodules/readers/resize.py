"""Resizing of frames, the same in training and inference."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def resize(frames: Tensor, *, height: int, width: int) -> Tensor:
    """Crop centrally to the target's aspect ratio, then scale bilinearly with antialiasing.

    Decoders disagree about scaling by several gray levels, so they decode at native size and this function
    scales. The largest centered box with the target's aspect ratio is kept: faces are never distorted, and
    what is lost is the margin of the longer side.

    Args:
        frames: uint8 (..., 3, H, W).
        height: target height in pixels.
        width: target width in pixels.

    Returns:
        uint8 (..., 3, height, width).

    Raises:
        TypeError: if the frames are not uint8.

    Examples:
        >>> resize(torch.zeros(2, 3, 48, 64, dtype=torch.uint8), height=16, width=16).shape
        torch.Size([2, 3, 16, 16])
    """
    if frames.dtype != torch.uint8:
        raise TypeError(f"frames must be uint8, got {frames.dtype}; resize before any normalization")
    boxed = _central_box(frames, height, width)
    if boxed.shape[-2:] == (height, width):
        return boxed.contiguous()
    flat = boxed.reshape(-1, *boxed.shape[-3:])
    if flat.is_cuda:  # the uint8 kernel exists for the CPU only
        flat = flat.float()
    scaled = interpolate(flat, size=(height, width), mode="bilinear", antialias=True, align_corners=False)
    if scaled.dtype != torch.uint8:
        scaled = scaled.round_().clamp_(0, 255).to(torch.uint8)
    return scaled.reshape(*boxed.shape[:-2], height, width).contiguous()


def join(frames: Sequence[Tensor], *, size: tuple[int, int]) -> Tensor:
    """Stack frames (3, H, W) to one tensor, uint8 (T, 3, *size), each scaled from its own size.

    Calls lower their resolution when the line is bad and raise it again. Colors stay beside each other in
    memory, as decoders give them, until the frames are small: to sort them before takes four times as long.

    Args:
        frames: decoded frames, at least one.
        size: height and width of the result in pixels.
    """
    height, width = size
    if len({frame.shape for frame in frames}) == 1:
        boxed = [_central_box(frame, height, width).permute(1, 2, 0) for frame in frames]
        return resize(torch.stack(boxed).permute(0, 3, 1, 2), height=height, width=width)
    return torch.stack([resize(frame, height=height, width=width) for frame in frames])


def _central_box(frames: Tensor, height: int, width: int) -> Tensor:
    rows, columns = frames.shape[-2:]
    box_rows = min(rows, max(1, round(columns * height / width)))
    box_columns = min(columns, max(1, round(rows * width / height)))
    top, left = (rows - box_rows) // 2, (columns - box_columns) // 2
    return frames[..., top : top + box_rows, left : left + box_columns]
