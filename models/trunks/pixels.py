"""A light trunk for small faces on a CPU: four strided convolutions per frame, MMP between frames."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.masking import token_mask, zero_masked
from models.trunks.readout import SpatialReadout, joined

_WIDTHS = (16, 32, 64, 96)  # our choice: what a core affords at 64 x 64
_GROUP = 8  # channels a GroupNorm group holds; our choice


class _Stage(nn.Module):
    """Strided convolution, GroupNorm, ReLU: (N,C,H,W) -> (N,C',H/2,W/2)."""

    def __init__(self, *, inputs: int, outputs: int) -> None:
        super().__init__()
        # the bias is the yardstick that lets the size of a frame difference survive the norm
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(max(1, outputs // _GROUP), outputs)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.activation(self.norm(self.conv(x)))
        return maps


def _places(read_stages: Sequence[int], count: int) -> list[int]:
    """Return the stages that are read, from 0; without the last, its weights would have no gradient."""
    places = sorted({count + stage if stage < 0 else stage for stage in read_stages})
    if not places or places[0] < 0 or places[-1] != count - 1:
        raise ValueError(
            f"read_stages={list(read_stages)} for {count} stages: the last, -1, must be among them, and none "
            f"before {-count}"
        )
    return places


class PixelTrunk(nn.Module):
    """Frames (B,T,3,H,W) -> tokens (B,T,D), for faces of 48 to 112 pixels.

    Args:
        dim: width of the tokens; None keeps the channels of the maps, see `FramesTrunk`.
        widths: channels of the stages; each halves the resolution.
        mmp: MMP by channels, e.g. `partial(MMPMaps)`; None leaves the frames apart.
        mmp_stages: stages followed by MMP, counted from 0; the maps of the first two are large
            and hold little motion yet.
        readout: maps to tokens by channels and dim, e.g. `partial(SpatialReadout, grid=4)`.
        read_stages: stages whose maps are read, counted from the last, -1; their tokens are added.

    Raises:
        ValueError: a stage does not exist, or the last is not read.

    Examples:
        >>> import torch
        >>> PixelTrunk(dim=32)(torch.randn(1, 4, 3, 64, 64), torch.ones(1, 4, dtype=torch.bool)).shape
        torch.Size([1, 4, 32])
    """

    def __init__(
        self,
        *,
        dim: int | None = 64,
        widths: Sequence[int] = _WIDTHS,
        mmp: Callable[[int], nn.Module] | None = None,
        mmp_stages: Sequence[int] = (2, 3),
        readout: Callable[..., nn.Module] = SpatialReadout,
        read_stages: Sequence[int] = (-1,),
    ) -> None:
        super().__init__()
        if mmp is not None and not set(mmp_stages) <= set(range(len(widths))):
            raise ValueError(f"mmp_stages={list(mmp_stages)} for {len(widths)} stages: count them from 0")
        self.stages = nn.ModuleList(_Stage(inputs=a, outputs=b) for a, b in pairwise((3, *widths)))
        self.motions = nn.ModuleDict({str(index): mmp(widths[index]) for index in mmp_stages} if mmp else {})
        read = _places(read_stages, len(widths))
        self.readouts = nn.ModuleDict(
            {str(index): readout(channels=widths[index], dim=dim) for index in read}
        )
        self.width = dim
        self.dim = sum(widths[index] for index in read) if dim is None else dim
        self.cells = int(getattr(next(iter(self.readouts.values())), "cells", 1))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map frames under their mask (B,T) to tokens (B,T,D); tokens of unreal frames are zero."""
        maps = zero_masked(x, mask).flatten(0, 1)  # (BT,C,H,W)
        maps = maps.contiguous(memory_format=torch.channels_last)  # the convolutions are faster so on a CPU
        read_stages = []
        for index, stage in enumerate(self.stages):
            maps = stage(maps)
            if str(index) in self.motions:
                maps = self.motions[str(index)](maps.unflatten(0, mask.shape), mask).flatten(0, 1)
            if str(index) in self.readouts:
                read_stages.append(self.readouts[str(index)](maps))
        tokens = joined(read_stages, dim=self.width)
        tokens = tokens.reshape(len(mask), -1, self.dim)
        return zero_masked(tokens, token_mask(mask, tokens.shape[1], cells=self.cells))
