"""Series trunk: levels and motion of every channel, and residual temporal convolutions on top."""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from models.masking import pool_steps, silence, token_mask, zero_masked
from models.trunks.clip_motion import ClipMotion


class _TemporalBlock(nn.Module):
    """x + W gelu(conv(norm x)): normalized over channels at each step, never over time."""

    def __init__(self, *, dim: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.conv = nn.Conv1d(dim, dim, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        last = nn.Linear(dim, dim)
        self.tail = nn.Sequential(nn.GELU(), nn.Dropout(dropout), last)
        nn.init.zeros_(last.weight)  # the block starts at the identity
        nn.init.zeros_(last.bias)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        inner = silence(self.norm(x), mask)  # a padded step is a convolution's own zero padding
        inner = self.conv(inner.transpose(1, 2)).transpose(1, 2)
        return silence(x + self.tail(inner), mask)


class SeriesTrunk(nn.Module):
    """Series (B,T,F) -> tokens (B,T',D), T' = ceil(T / pool).

    The first tokens are a linear map of each step's channels, averaged over `pool` steps. With MMP a linear
    map of the motion of the whole clip is added to all of them (`ClipMotion`: how much each channel moves,
    which move together): the mean token then holds linearly what a linear reader of mean, spread, speed and
    cross-correlation sees, and the mean token of another visit takes the habit out of all of it. Residual
    blocks of dilated convolutions (dilation 1, 2, 4, ...) follow, each with MMP behind it. They start at the
    identity and learn what statistics leave. Without MMP only they see motion.

    Habits and severity both live in levels, so nothing is normalized over time and the residual stream
    reaches the tokens untouched. A padded clip gives the same tokens as the clip without its padding.

    Args:
        channels: F.
        dim: D.
        blocks: how many.
        kernel: steps a convolution sees, odd.
        dropout: within the blocks.
        pool: steps that become one token, 1 for none.
        power_scales: of `ClipMotion`.
        relation_lags: of `ClipMotion`.
        relation_step: of `ClipMotion`.
        relation_parts: of `ClipMotion`.
        mmp: called with D, for every block; None for none, and for no motion of the clip.

    Examples:
        >>> import torch
        >>> trunk = SeriesTrunk(channels=17, dim=32, pool=4)
        >>> trunk(torch.randn(2, 20, 17), torch.ones(2, 20, dtype=torch.bool)).shape
        torch.Size([2, 5, 32])
    """

    def __init__(
        self,
        *,
        channels: int,
        dim: int = 64,
        blocks: int = 3,
        kernel: int = 5,
        dropout: float = 0.0,
        pool: int = 1,
        power_scales: Sequence[int] | None = (1, 2, 4, 8),
        relation_lags: Sequence[int] | None = None,
        relation_step: int = 3,
        relation_parts: int = 20,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"kernel={kernel} would shift the series in time: use an odd one, e.g. kernel=5")
        if pool < 1:
            raise ValueError(f"pool={pool}: a token needs at least one step, e.g. pool=4")
        self.dim, self.token_steps = dim, pool
        self.stem = nn.Linear(channels, dim)
        motion = ClipMotion(
            channels=channels,
            dim=dim,
            power_scales=power_scales,
            relation_lags=relation_lags,
            relation_step=relation_step,
            relation_parts=relation_parts,
        )
        self.motion = motion if mmp is not None else None
        self.blocks = nn.ModuleList(
            _TemporalBlock(dim=dim, kernel=kernel, dilation=2**index, dropout=dropout)
            for index in range(blocks)
        )
        self.motions = nn.ModuleList(mmp(dim) for _ in range(blocks)) if mmp is not None else None

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map x (B,T,F) under its mask (B,T) to tokens (B,T',D); tokens of unreal steps are zero."""
        x = zero_masked(x, mask)
        tokens = pool_steps(self.stem(x), mask, self.token_steps)
        steps = token_mask(mask, tokens.shape[1], size=self.token_steps)
        if self.motion is not None:
            tokens = silence(tokens + self.motion(x.float(), mask).unsqueeze(1), steps)
        for index, block in enumerate(self.blocks):
            tokens = block(tokens, steps)
            if self.motions is not None:
                tokens = self.motions[index](tokens, steps)
        return tokens
