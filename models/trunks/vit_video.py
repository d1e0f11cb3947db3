"""A video transformer of tubelets (ViT, pre-norm, no class token), in the forms whose weights are published.

| family | positions | weights |
|---|---|---|
| plain | step, row and column in parts of the width, sines and cosines | none: ours, from the start |
| videomae | number of the token, sines and cosines; interpolated for other clips | VideoMAE |
| marlin | as videomae; its norms add 1e-5 | MARLIN |
| vjepa2 | rotary, of step, row and column | V-JEPA 2 |
| vjepa2_1 | rotary on 16 cells a side, an embedding of the modality | V-JEPA 2.1 |

VideoMAE: Tong et al. 2022 (arXiv 2203.12602). MARLIN: Cai et al. 2023 (arXiv 2211.06627). V-JEPA 2: Assran et
al. 2025 (arXiv 2506.09985). Dropout and stochastic depth are left out.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from models import positions
from models.trunks.video import MapsTrunk, feature_maps
from models.trunks.vit_video_weights import expects_of, take
from models.weights.record import WeightsRecord

Family: TypeAlias = Literal["plain", "videomae", "marlin", "vjepa2", "vjepa2_1"]
PATCH, TUBELET = 16, 2  # pixels a side, and frames, of all of them
_MLP = 4
_EPS = {"marlin": 1e-5}  # of the norms, as in its code
_EPS_OF_OTHERS = 1e-6  # as in both code bases
_STD = 0.02  # of weights at the start, likewise


class _Preset(NamedTuple):
    """Width, number of layers, and heads."""

    width: int
    depth: int
    heads: int


PRESETS = {"small": _Preset(384, 12, 6), "base": _Preset(768, 12, 12), "large": _Preset(1024, 24, 16)}
"""ViT-S, B and L, as both code bases have them."""


class _Attention(nn.Module):
    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor] | None) -> Tensor:
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if turn is not None:
            query, key = (positions.rotate(one, *turn).to(value.dtype) for one in (query, key))
        seen = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        out: Tensor = self.proj(seen)
        return out


class _Layer(nn.Module):
    """x + attention(norm x), then x + mlp(norm x)."""

    def __init__(self, *, width: int, heads: int, eps: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=eps)
        self.attn = _Attention(width=width, heads=heads)
        self.norm2 = nn.LayerNorm(width, eps=eps)
        hidden = _MLP * width
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, hidden), "fc2": nn.Linear(hidden, width)})

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor] | None) -> Tensor:
        x = x + self.attn(self.norm1(x), turn)
        out: Tensor = x + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))
        return out


class VideoTransformer(nn.Module):
    """Clips (B,3,T,H,W) -> maps (B,D,T',H',W'), T' = ceil(T / 2), H' = H / 16.

    The last frame of an odd number is shown twice.

    Args:
        width: D.
        depth: number of layers.
        heads: of attention.
        family: see the head of this file.
        recompute: keep no activations inside layers for the way back, but compute them again there (Chen et
            al. 2016, arXiv 1604.06174): memory of one layer instead of all, for about a third more time.

    Raises:
        ValueError: the width cannot be divided among the heads, or, on use, a picture is no multiple of 16.
    """

    def __init__(
        self, *, width: int, depth: int, heads: int, family: Family, recompute: bool = False
    ) -> None:
        super().__init__()
        self.recompute = recompute
        if width % heads:
            raise ValueError(f"width={width} cannot be divided among heads={heads}")
        self.family, self.head_width = family, width // heads
        shape = (TUBELET, PATCH, PATCH)
        self.patch_embed = nn.Conv3d(3, width, shape, stride=shape)
        self.video_mod_embed = nn.Parameter(torch.zeros(1, 1, width)) if family == "vjepa2_1" else None
        eps = _EPS.get(family, _EPS_OF_OTHERS)
        self.blocks = nn.ModuleList(_Layer(width=width, heads=heads, eps=eps) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=eps)
        self.apply(_start)

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps."""
        if x.shape[-2] % PATCH or x.shape[-1] % PATCH:
            height, width = x.shape[-2:]
            raise ValueError(
                f"pictures of {height} x {width}: both sides must be multiples of {PATCH} pixels"
            )
        if x.shape[2] % TUBELET:
            x = torch.cat((x, x[:, :, -1:]), 2)
        maps: Tensor = self.patch_embed(x)
        grid = (maps.shape[2], maps.shape[3], maps.shape[4])
        tokens = maps.flatten(2).transpose(1, 2)
        if self.video_mod_embed is not None:
            tokens = tokens + self.video_mod_embed
        added, turn = self._positions(grid, tokens)
        tokens = tokens if added is None else tokens + added
        for layer in self.blocks:
            if self.recompute and self.training:
                tokens = checkpoint(layer, tokens, turn, use_reentrant=False)
            else:
                tokens = layer(tokens, turn)
        out: Tensor = self.norm(tokens).transpose(1, 2)
        return out.reshape(*out.shape[:2], *grid)

    def _positions(
        self, grid: tuple[int, int, int], tokens: Tensor
    ) -> tuple[Tensor | None, tuple[Tensor, Tensor] | None]:
        """What is added to the tokens, and by what queries and keys are turned."""
        where = (tokens.device.type, tokens.device.index)
        if self.family in ("plain", "videomae", "marlin"):
            return _table(self.family, grid, tokens.shape[-1], where), None
        cos, sin = (_table(f"{self.family}, {part}", grid, self.head_width, where) for part in ("cos", "sin"))
        return None, (cos, sin)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]  # of torch
@lru_cache(maxsize=16)
@torch.inference_mode(False)
def _table(kind: str, grid: tuple[int, int, int], width: int, where: tuple[str, int | None]) -> Tensor:
    """A table of positions on a device, copied there once: a copy in every step would wait for the device."""
    family, _, part = kind.partition(", ")
    device = torch.device(where[0], where[1]) if where[1] is not None else torch.device(where[0])
    if not part:
        return (positions.factorized if family == "plain" else positions.joint)(grid, width).to(device)
    newer = family == "vjepa2_1"
    cos, sin = positions.rotations(grid, width, stretched=newer, paired=newer)
    return (cos if part == "cos" else sin).to(device)


def _start(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv3d):
        nn.init.trunc_normal_(module.weight, std=_STD)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # all of ours have one


@feature_maps.register
def _(backbone: VideoTransformer, x: Tensor) -> Tensor:
    maps: Tensor = backbone(x)
    return maps


class VitVideoTrunk(MapsTrunk):
    """A video transformer as a trunk: frames (B,T,3,H,W) -> tokens (B,T',D), T' = ceil(T / 2).

    Args:
        preset: `small`, `base` or `large`.
        family: whose positions it has, and hence whose weights it can take; see the head of this file.
        dim: width of the tokens; None keeps that of the transformer.
        weights: null begins at random; else a file or an id of the hub, see `models.weights.locate.locate`.
        weights_sha256: what the digest of the file should be, or how it should begin.
        depth: number of layers, where it is not that of the preset; weights then fit no more.
        recompute: see `VideoTransformer`.
        mmp: see `MapsTrunk`.
        readout: see `MapsTrunk`.

    Attributes:
        pretrained: which weights were taken; None if it began at random.
        expects: what it must be shown.

    Raises:
        ValueError: there is no such preset or family.
        WeightsError: the weights are not there, or of another family or size.

    Examples:
        >>> trunk = VitVideoTrunk(preset="small", depth=1, dim=16)
        >>> trunk(torch.randn(1, 4, 3, 32, 32), torch.ones(1, 4, dtype=torch.bool)).shape
        torch.Size([1, 2, 16])
    """

    def __init__(
        self,
        *,
        preset: str = "base",
        family: Family = "plain",
        dim: int | None = None,
        weights: str | None = None,
        weights_sha256: str | None = None,
        depth: int | None = None,
        recompute: bool = False,
        mmp: Callable[[int], nn.Module] | None = None,
        readout: Callable[..., nn.Module] | None = None,
    ) -> None:
        if preset not in PRESETS or family not in get_args(Family):
            raise ValueError(
                f"preset={preset!r}, family={family!r}: presets are {', '.join(PRESETS)}; families are "
                f"{', '.join(get_args(Family))}"
            )
        width, layers, heads = PRESETS[preset]
        network = VideoTransformer(
            width=width, depth=depth or layers, heads=heads, family=family, recompute=recompute
        )
        pretrained: WeightsRecord | None = None
        if weights is not None:
            pretrained = take(network, weights, family=family, heads=heads, sha256=weights_sha256)
        super().__init__(network, width=width, dim=dim, mmp=mmp, readout=readout)
        self.pretrained = pretrained
        self.expects = expects_of(family, patch=PATCH, trained=weights is not None)
