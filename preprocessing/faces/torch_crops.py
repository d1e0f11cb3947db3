"""Crops on the device: the same regions as in `crops`, for many frames at once.

Frames are float `(B, 3, H, W)`, 0 to 255, and stay where they are.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from preprocessing.faces.face import FloatArray
from preprocessing.faces.regions import crop_matrices


def face_crops(frames: Tensor, regions: FloatArray, side: int, mirrored: NDArray[np.bool_]) -> Tensor:
    """Turned regions ``(N, R, 3, side, side)``, bilinear; what lies outside a frame repeats its border.

    As large regions are first cut larger and then averaged, nothing is skipped.

    Args:
        frames: ``(N, 3, H, W)``.
        regions: ``(N, R, 4)``, `R` of each frame.
        side: Of the crops, in pixels.
        mirrored: ``(R,)`` whether left and right change places.
    """
    number, each = regions.shape[:2]
    times = np.maximum(1, (regions[..., 2] / side).astype(int)).max(axis=1)
    crops = frames.new_empty((number, each, 3, side, side))
    for factor in np.unique(times).tolist():
        chosen = np.flatnonzero(times == factor)
        grid = _grid(frames, regions[chosen], side * factor, mirrored)
        seen = F.grid_sample(rows(frames, chosen), grid, padding_mode="border", align_corners=False)
        seen = F.avg_pool2d(seen, factor).reshape(len(chosen), 3, each, side, side)
        crops[torch.from_numpy(chosen).to(frames.device)] = seen.transpose(1, 2)
    return crops


def upright_crops(frames: Tensor, region: FloatArray, side: int) -> Tensor:
    """The same upright region of all frames ``(B, 3, side, side)``, averaged over areas; black outside.

    .. math:: Y = W_y X W_x^T

    Args:
        frames: ``(B, 3, H, W)``.
        region: ``(4,)``.
        side: Of the crops, in pixels.
    """
    height, width = frames.shape[2:]
    x, y, size = (float(number) for number in region[:3])
    down, across = (
        torch.from_numpy(resampling(middle - size / 2 + 0.5, size, length, side)).to(frames)
        for middle, length in ((y, height), (x, width))
    )
    return torch.matmul(torch.matmul(down, frames), across.T)


def resampling(start: float, size: float, length: int, side: int) -> FloatArray:
    """Weights ``(side, length)`` that take a line of pixels to a part of it at another size.

    Going down, a new pixel is the mean of what it covers, with parts of pixels counted as parts; going up, it
    lies between its two neighbors. What lies beyond the ends is 0.

    Args:
        start: Where the part begins, counted from the edge of the first pixel.
        size: Length of the part in pixels.
        length: Pixels of the line.
        side: New pixels of the part.
    """
    step = size / side
    edges = start + step * np.arange(side + 1)
    pixels = np.arange(length)
    if step >= 1:
        low, high = np.maximum(edges[:-1, None], pixels), np.minimum(edges[1:, None], pixels + 1)
        return np.asarray(np.clip(high - low, 0, None) / step, np.float32)
    middles = (edges[:-1] + edges[1:]) / 2
    inside = (middles >= 0) & (middles < length)
    near = np.clip(middles - 0.5, 0, length - 1)
    weights = np.clip(1 - np.abs(near[:, None] - pixels), 0, None)
    return np.asarray(weights * inside[:, None], np.float32)


def _grid(frames: Tensor, regions: FloatArray, side: int, mirrored: NDArray[np.bool_]) -> Tensor:
    """Where crops ``(n, R s, s, 2)``, one above the other, look: in the shares from -1 to 1 of torch."""
    height, width = frames.shape[2:]
    matrices = crop_matrices(regions, side, np.broadcast_to(mirrored, regions.shape[:2])).astype(np.float64)
    linear = np.linalg.inv(matrices[..., :2])
    shift = -(linear @ matrices[..., 2:])
    scale = np.array([[2 / width], [2 / height]])
    theta = np.concatenate([linear * scale, (shift + 0.5) * scale - 1], axis=-1)  # pixels to shares
    pixels = torch.arange(side, dtype=frames.dtype, device=frames.device)
    # No matrix product: a GPU may be told to round its factors to TF32, which moves places.
    right, down, start = torch.from_numpy(theta).to(frames)[:, :, None, None].unbind(-1)
    grid = right * pixels[:, None] + down * pixels[:, None, None] + start  # (n, R, s, s, 2)
    return grid.reshape(len(regions), -1, side, 2)


def rows(frames: Tensor, chosen: NDArray[np.int64]) -> Tensor:
    """These frames, without a copy where it is all of them."""
    if np.array_equal(chosen, np.arange(len(frames))):
        return frames
    return frames[torch.from_numpy(chosen).to(frames.device)]
