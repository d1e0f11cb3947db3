"""Series trunk: levels and motion power of every channel, and residual temporal convolutions on top."""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from models.masking import pool_steps, silence, token_mask, zero_masked
from models.trunks.channel_relation import channel_relation, relations
from models.trunks.motion_power import motion_power

# Log power of a standardized channel is usually between -6 and 0; what is left is about one wide. Our choice.
_USUAL_POWER, _POWER_SCALE = -3.0, 0.3
# Relations are many and noisy: at a tenth they are learned more slowly than levels and power. Our choice.
_RELATION_SCALE = 0.1


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

    The first tokens are a linear map of each step's channels, averaged over `pool` steps, plus linear maps
    of the clip's motion power (`motion_power`) and channel relations (`channel_relation`), the same at all of
    its steps: the mean token holds linearly what a linear reader of mean, spread, speed and cross-correlation
    sees, and the mean token of another visit takes the habit out of all of it. Residual blocks of dilated
    convolutions (dilation 1, 2, 4, ...) follow, each with MMP behind it. They start at the identity and learn
    what statistics leave.

    Habits and severity both live in levels, so nothing is normalized over time and the residual stream
    reaches the tokens untouched. A padded clip gives the same tokens as the clip without its padding.

    Args:
        channels: F.
        dim: D.
        blocks: how many.
        kernel: steps a convolution sees, odd.
        dropout: within the blocks.
        pool: steps that become one token, 1 for none.
        power_scales: steps over which motion power looks at differences; None leaves motion power out.
        relation_lags: steps by which one channel may follow another; None leaves relations out.
        relation_parts: most channels that are related to each other, as the number of relations grows with
            the square; of more channels so many learned parts are taken, each a linear map of all of them.
        mmp: called with D, for every block; None for none.

    Example:
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
        relation_parts: int = 20,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        _check(kernel, pool, power_scales, relation_lags)
        self.dim, self.pool = dim, pool
        self.stem = nn.Linear(channels, dim)
        self.power_scales, self.relation_lags = power_scales, relation_lags
        if relation_parts < 2:
            raise ValueError(f"relation_parts={relation_parts}: a relation needs two parts at least, e.g. 20")
        if power_scales is not None:
            self.power = nn.Linear(2 * channels * (1 + len(power_scales)), dim, bias=False)
        if relation_lags is not None:
            few = channels <= relation_parts
            self.parts = nn.Identity() if few else nn.Linear(channels, relation_parts, bias=False)
            count = relations(min(channels, relation_parts), relation_lags)
            self.relation = nn.Linear(count, dim, bias=False)
            nn.init.zeros_(self.relation.weight)
        self.blocks = nn.ModuleList(
            _TemporalBlock(dim=dim, kernel=kernel, dilation=2**index, dropout=dropout)
            for index in range(blocks)
        )
        self.motions = nn.ModuleList(mmp(dim) for _ in range(blocks)) if mmp is not None else None

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map x (B,T,F) under its mask (B,T) to tokens (B,T',D); tokens of unreal steps are zero."""
        x = zero_masked(x, mask)
        tokens = pool_steps(self.stem(x), mask, self.pool)
        steps = token_mask(mask, tokens.shape[1])
        tokens = silence(tokens + self._of_clip(x.float(), mask).unsqueeze(1), steps)
        for index, block in enumerate(self.blocks):
            tokens = block(tokens, steps)
            if self.motions is not None:
                tokens = self.motions[index](tokens, steps)
        return tokens

    def _of_clip(self, x: Tensor, mask: Tensor) -> Tensor:
        """What all tokens of a clip share, (B,D)."""
        shared = x.new_zeros(len(x), self.dim)
        if self.power_scales is not None:
            shared = shared + self.power(
                _POWER_SCALE * (motion_power(x, mask, self.power_scales) - _USUAL_POWER)
            )
        if self.relation_lags is not None:
            related = channel_relation(self.parts(x).float(), mask, self.relation_lags)
            shared = shared + self.relation(_RELATION_SCALE * related)
        return shared


def _check(kernel: int, pool: int, scales: Sequence[int] | None, lags: Sequence[int] | None) -> None:
    if kernel % 2 == 0:
        raise ValueError(f"kernel={kernel} would shift the series in time: use an odd one, e.g. kernel=5")
    if pool < 1:
        raise ValueError(f"pool={pool}: a token needs at least one step, e.g. pool=4")
    if scales is not None and (not scales or min(scales) < 1):
        raise ValueError(
            f"power_scales={list(scales)}: give steps of at least 1, e.g. [1,2,4,8], or null for none of it"
        )
    if lags is not None and (not lags or min(lags) < 0):
        raise ValueError(
            f"relation_lags={list(lags)}: give steps of at least 0, e.g. [0,1,2,4], or null for none of them"
        )
