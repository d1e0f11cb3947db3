"""Series trunk: residual temporal convolutions that keep the level of every channel."""

from collections.abc import Callable

from torch import Tensor, nn

from models.masking import silence, zero_masked


class _TemporalBlock(nn.Module):
    """x + W gelu(conv(norm x)): normalized over channels at each step, never over time."""

    def __init__(self, *, dim: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.conv = nn.Conv1d(dim, dim, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        self.tail = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(dim, dim))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        inner = silence(self.norm(x), mask)  # a padded step is a convolution's own zero padding
        inner = self.conv(inner.transpose(1, 2)).transpose(1, 2)
        return silence(x + self.tail(inner), mask)


class SeriesTrunk(nn.Module):
    """Series (B,T,F) -> tokens (B,T,D).

    A linear map of each step's channels, then residual blocks of dilated convolutions (dilation 1, 2, 4,
    ...), each followed by MMP. Habits and severity both live in levels, so nothing is normalized over time
    and the residual stream reaches the tokens untouched. A padded clip gives the same tokens as the clip
    without its padding.

    Example:
        >>> import torch
        >>> trunk = SeriesTrunk(channels=17, dim=32)
        >>> trunk(torch.randn(2, 20, 17), torch.ones(2, 20, dtype=torch.bool)).shape
        torch.Size([2, 20, 32])
    """

    def __init__(
        self,
        *,
        channels: int,
        dim: int = 64,
        blocks: int = 3,
        kernel: int = 5,
        dropout: float = 0.0,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"kernel={kernel} would shift the series in time: use an odd one, e.g. kernel=5")
        self.dim = dim
        self.stem = nn.Linear(channels, dim)
        self.blocks = nn.ModuleList(
            _TemporalBlock(dim=dim, kernel=kernel, dilation=2**index, dropout=dropout)
            for index in range(blocks)
        )
        self.motions = nn.ModuleList(mmp(dim) for _ in range(blocks)) if mmp is not None else None

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map x (B,T,F) under its mask (B,T) to tokens (B,T,D); tokens of unreal steps are zero."""
        tokens: Tensor = silence(self.stem(zero_masked(x, mask)), mask)
        for index, block in enumerate(self.blocks):
            tokens = block(tokens, mask)
            if self.motions is not None:
                tokens = self.motions[index](tokens, mask)
        return tokens
