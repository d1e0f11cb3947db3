"""Any timm 2-D backbone with `features_only`, applied frame by frame; MMP adds the time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import timm
import torch
from timm.models._features import FeatureGetterNet
from torch import Tensor, nn

from models.blocks import Block, in_order
from models.masking import token_mask, zero_masked
from models.trunks.readout import SpatialReadout, joined
from models.trunks.timm_weights import expects_of, take
from models.weights.record import WeightsRecord


def _count(backbone: str, settings: Mapping[str, Any]) -> int:
    """How many stages a backbone has; its weights take no room."""
    with torch.device("meta"):
        maps = timm.create_model(
            backbone, pretrained=False, features_only=True, out_indices=(-1,), **settings
        )
    return len(maps.feature_info.info)


def _in_order(backbone: str, stages: Sequence[int], settings: Mapping[str, Any]) -> tuple[int, ...]:
    """Stages from the input on, as timm returns their maps, in whatever order they are given.

    Raises:
        ValueError: None is given, or one is given twice.
    """
    if not stages:
        raise ValueError("stages=[]: give one stage or more, e.g. [-1], the last one")
    found = list(stages)
    if min(found) < 0 <= max(found):  # counted from both ends
        count = _count(backbone, settings)
        found = [one + count if one < 0 else one for one in found]
    if len(set(found)) < len(found):
        raise ValueError(f"stages={list(stages)}: a stage is given twice")
    return tuple(sorted(found))


def _maps_of(backbone: str, stages: tuple[int, ...], settings: Mapping[str, Any]) -> Any:
    """The maps of stages, see `_maps_behind`.

    Raises:
        ValueError: There is no such stage; says how many there are.
    """
    try:
        return _maps_behind(backbone, stages, settings)
    except (IndexError, AssertionError) as error:
        count = _count(backbone, settings)
        if all(-count <= one < count for one in stages):
            raise
        raise ValueError(
            f"stages={list(stages)}: {backbone} has {count} stages, 0 to {count - 1}, or -{count} to -1 from "
            "its end"
        ) from error


def _maps_behind(backbone: str, stages: tuple[int, ...], settings: Mapping[str, Any]) -> Any:
    """A backbone that returns the maps of its stages, those of a transformer behind its last norm.

    timm leaves that norm out, and what is before it has channels of hundreds beside channels of one; DINOv2
    publishes its features behind it.
    """
    maps = timm.create_model(backbone, pretrained=False, features_only=True, out_indices=stages, **settings)
    if not isinstance(maps, FeatureGetterNet):
        return maps
    whole = timm.create_model(backbone, pretrained=False, **settings)
    norm = getattr(whole, "norm", None)
    if norm is None or not list(norm.parameters()):  # it has none, or after the mean of all tokens
        return maps
    return FeatureGetterNet(whole, out_indices=stages, norm=True)


class FramesTrunk(nn.Module):
    """Frames (B,T,3,H,W) -> tokens (B,T,D) by a timm backbone, MMP on chosen stages, and one readout each.

    A readout that keeps space gives S tokens a frame, (B,TS,D), those of one frame in a row.

    Args:
        backbone: timm model name that supports `features_only`.
        dim: width of the tokens; None keeps the channels of the maps, those of several stages side by
            side, where the readout can (`TokenReadout`).
        weights: null begins at random; `pretrained` takes those that timm names; else a file, an id of the
            hub or a package, see `models.weights.locate.locate`.
        weights_sha256: what the digest of the file should be, or how it should begin.
        size: height and width in pixels, for backbones whose weights depend on it (ViT, Swin); None
            elsewhere.
        stages: timm `out_indices` whose maps are read, in any order; their tokens are added (see `dim`).
        mmp: MMP by channels, put on every read stage; None leaves the frames apart.
        readout: maps to tokens by channels and dim, e.g. `partial(SpatialReadout, grid=4)`.

    Attributes:
        pretrained: which weights were taken; None if it began at random.
        expects: what it must be shown.

    Raises:
        ValueError: no stage is given, one is given twice, or the backbone has no such stage.
        WeightsError: the weights are not there, or not those of this backbone.

    Examples:
        >>> import torch
        >>> trunk = FramesTrunk(backbone="resnet10t", dim=32)
        >>> trunk(torch.randn(1, 4, 3, 64, 64), torch.ones(1, 4, dtype=torch.bool)).shape
        torch.Size([1, 4, 32])
    """

    def __init__(
        self,
        *,
        backbone: str,
        dim: int | None = 128,
        weights: str | None = None,
        weights_sha256: str | None = None,
        size: int | None = None,
        stages: Sequence[int] = (-2, -1),
        mmp: Callable[[int], nn.Module] | None = None,
        readout: Callable[..., nn.Module] = SpatialReadout,
    ) -> None:
        super().__init__()
        settings = {} if size is None else {"img_size": size}
        self.backbone = _maps_of(backbone, _in_order(backbone, stages, settings), settings)
        self.pretrained: WeightsRecord | None = None
        seen = None
        if weights is not None:
            digest: dict[str, Any] = {"sha256": weights_sha256, "settings": settings}
            self.pretrained, seen = take(self.backbone, backbone, weights, **digest)
        self.expects = expects_of(backbone, size=size, config=seen)
        self.channels_last = "NHWC" in str(getattr(self.backbone, "output_fmt", "NCHW"))
        channels = self.backbone.feature_info.channels()
        self.width = dim
        self.dim = sum(channels) if dim is None else dim
        self.motions = nn.ModuleList(mmp(width) for width in channels) if mmp is not None else None
        self.readouts = nn.ModuleList(readout(channels=width, dim=dim) for width in channels)
        self.cells = int(getattr(self.readouts[0], "cells", 1))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map frames under their mask (B,T) to tokens (B,T,D); tokens of unreal frames are zero."""
        stages = self.backbone(zero_masked(x, mask).flatten(0, 1))
        read_stages = []
        for index, (maps, read) in enumerate(zip(stages, self.readouts, strict=True)):
            if self.channels_last:
                maps = maps.permute(0, 3, 1, 2)
            if self.motions is not None:
                maps = self.motions[index](maps.unflatten(0, mask.shape), mask).flatten(0, 1)
            read_stages.append(read(maps))
        tokens = joined(read_stages, dim=self.width)
        tokens = tokens.reshape(len(mask), -1, self.dim)
        return zero_masked(tokens, token_mask(mask, tokens.shape[1], cells=self.cells))

    def blocks(self) -> list[Block]:
        """The blocks of the backbone, from its input on; readouts and MMP are none."""
        return in_order(self.backbone)
