"""torchvision video backbones as token trunks; (B,C,T,H,W) inside, as all 3-D convolutions want it."""

from collections.abc import Callable
from functools import singledispatch

from torch import Tensor, nn
from torchvision.models import get_model, list_models, video
from torchvision.models.video import S3D, MViT, SwinTransformer3d, VideoResNet

from models.blocks import Block, in_order
from models.masking import hold_last, token_mask, zero_masked
from models.trunks.torchvision_weights import take
from models.weights.record import Expects, WeightsRecord

_S3D_FRAMES = 5  # its strides leave T/2 and T/4 rounded up, then T/8 rounded down: nothing of fewer
_MOMENTUM = 0.1  # of running statistics, torch's own


@singledispatch
def feature_maps(backbone: nn.Module, x: Tensor) -> Tensor:
    """Run a backbone up to its last maps: (B,3,T,H,W) -> (B,C,T',H',W')."""
    raise TypeError(
        f"no token adapter for {type(backbone).__name__}: use a torchvision video model (r3d_18, mc3_18, "
        "r2plus1d_18, s3d, swin3d_*, mvit_*) or register one with `feature_maps`"
    )


@feature_maps.register
def _resnet(backbone: VideoResNet, x: Tensor) -> Tensor:
    x = backbone.stem(x)
    for layer in (backbone.layer1, backbone.layer2, backbone.layer3, backbone.layer4):
        x = layer(x)
    return x


@feature_maps.register
def _s3d(backbone: S3D, x: Tensor) -> Tensor:
    if x.shape[2] < _S3D_FRAMES:
        raise ValueError(f"s3d reads {_S3D_FRAMES} frames or more of a clip, which has {x.shape[2]}")
    maps: Tensor = backbone.features(x)
    return maps


@feature_maps.register
def _swin(backbone: SwinTransformer3d, x: Tensor) -> Tensor:
    x = backbone.features(backbone.pos_drop(backbone.patch_embed(x)))
    maps: Tensor = backbone.norm(x).permute(0, 4, 1, 2, 3)
    return maps


@feature_maps.register
def _mvit(backbone: MViT, x: Tensor) -> Tensor:
    x = backbone.conv_proj(x)
    grid = tuple(x.shape[2:])  # not the size it was configured for: relative positions are interpolated
    x = backbone.pos_encoding(x.flatten(2).transpose(1, 2))
    for block in backbone.blocks:
        x, grid = block(x, grid)
    tokens: Tensor = backbone.norm(x)[:, 1:]  # without that of the class
    return tokens.transpose(1, 2).reshape(len(x), -1, *grid)


def _remove_head(backbone: nn.Module) -> int:
    """Take the classifier off, so that it is no unused parameter under DDP, and return the width it read."""
    for name in ("fc", "head", "classifier"):
        head = getattr(backbone, name, None)
        if isinstance(head, nn.Module):
            setattr(backbone, name, nn.Identity())
            layer = next(m for m in head.modules() if isinstance(m, nn.Linear | nn.Conv3d))
            return layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels
    raise TypeError(f"{type(backbone).__name__} has no classifier named fc, head or classifier to take off")


def _follow(backbone: nn.Module) -> None:
    """Let running statistics follow within some tens of steps, as all of these networks do but s3d.

    Its momentum of 0.001 is for the hundred thousands of steps of Kinetics: trained here, it would be
    evaluated with the statistics that it began with.
    """
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.momentum = _MOMENTUM


class MapsTrunk(nn.Module):
    """Frames (B,T,3,H,W) -> tokens by a video backbone: its last maps, MMP on them, and one readout.

    Unreal frames are replaced by the last real one: these networks look through time, and a black frame
    would be a sudden motion. Their content never matters, but padding a clip does change its tokens
    slightly.

    Args:
        backbone: what `feature_maps` has an adapter for, without its classifier.
        width: channels of its last maps.
        dim: width of the tokens; None keeps that of the maps, and nothing is learned behind them.
        mmp: MMP by channels, put on the last maps; None leaves them alone.
        readout: maps to tokens by channels and dim, e.g. `partial(TokenReadout, grid=4)` for S tokens a step,
            (B,T'S,D); None takes the mean over space, (B,T',D).
    """

    def __init__(
        self,
        backbone: nn.Module,
        *,
        width: int,
        dim: int | None,
        mmp: Callable[[int], nn.Module] | None,
        readout: Callable[..., nn.Module] | None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.dim = width if dim is None else dim
        self.motion = mmp(width) if mmp is not None else None
        self.readout = None if readout is None else readout(channels=width, dim=dim)
        self.cells = int(getattr(self.readout, "cells", 1))
        linear = dim is not None and readout is None
        self.project = nn.Linear(width, self.dim) if linear else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map frames under their mask (B,T) to tokens (B,T',D), or (B,T'S,D) where space is kept."""
        held = hold_last(x, mask)
        maps = feature_maps(self.backbone, held.transpose(1, 2)).transpose(1, 2)  # (B,T',C,H',W')
        if self.motion is not None:
            maps = self.motion(maps, token_mask(mask, maps.shape[1]))
        if self.readout is None:
            tokens = self.project(maps.mean((-2, -1)))
        else:
            tokens = self.readout(maps.flatten(0, 1)).reshape(len(maps), -1, self.dim)
        return zero_masked(tokens, token_mask(mask, tokens.shape[1], cells=self.cells))

    def blocks(self) -> list[Block]:
        """The blocks of the backbone, from its input on; readout, projection and MMP are none."""
        return in_order(self.backbone)


class VideoTrunk(MapsTrunk):
    """A torchvision video network as a trunk; T' is what it leaves of the frames (T/8 for r3d_18).

    Args:
        backbone: torchvision model name: r3d_18, mc3_18, r2plus1d_18, s3d, swin3d_t, mvit_v2_s, ...
        dim: width of the tokens; None keeps the backbone's own.
        weights: null begins at random; `pretrained` takes torchvision's (Kinetics-400); else a file or an id
            of the hub, see `models.weights.locate.locate`.
        weights_sha256: what the digest of the file should be, or how it should begin.
        mmp: see `MapsTrunk`.
        readout: see `MapsTrunk`.

    Attributes:
        pretrained: which weights were taken; None if it began at random.
        expects: what it must be shown.

    Raises:
        ValueError: torchvision has no video model of that name.
        WeightsError: the weights are not there, or not those of this backbone.

    Examples:
        >>> import torch
        >>> trunk = VideoTrunk(backbone="mc3_18")
        >>> trunk(torch.randn(1, 4, 3, 32, 32), torch.ones(1, 4, dtype=torch.bool)).shape
        torch.Size([1, 4, 512])
    """

    def __init__(
        self,
        *,
        backbone: str,
        dim: int | None = None,
        weights: str | None = None,
        weights_sha256: str | None = None,
        mmp: Callable[[int], nn.Module] | None = None,
        readout: Callable[..., nn.Module] | None = None,
    ) -> None:
        # models of other modules, of detection for one, download a part of themselves by default
        if backbone not in (known := list_models(module=video)):
            raise ValueError(f"backbone={backbone!r} is no video model of torchvision: {', '.join(known)}")
        network = get_model(backbone, weights=None)
        pretrained: WeightsRecord | None = None
        expects = Expects()
        if weights is not None:
            pretrained, expects = take(network, backbone, weights, sha256=weights_sha256)
        _follow(network)
        width = _remove_head(network)
        super().__init__(network, width=width, dim=dim, mmp=mmp, readout=readout)
        self.pretrained, self.expects = pretrained, expects
