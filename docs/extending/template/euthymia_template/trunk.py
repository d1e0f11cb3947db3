"""A trunk of series that looks at one step: your network goes here."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from models.masking import silence, zero_masked


class LastFrame(nn.Module):
    """Series (B,T,F) -> one token (B,1,D): a linear map of the last real step."""

    def __init__(
        self, *, channels: int, dim: int = 64, mmp: Callable[[int], nn.Module] | None = None
    ) -> None:
        super().__init__()
        self.dim = dim
        self.map = nn.Linear(channels, dim)
        self.motion = mmp(dim) if mmp is not None else None

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map x (B,T,F) under its mask (B,T) to a token, zero where no step is real."""
        last = (mask * torch.arange(x.shape[1], device=x.device)).amax(1)
        real = mask.any(1, keepdim=True)
        token = silence(self.map(zero_masked(x, mask)[torch.arange(len(x)), last]).unsqueeze(1), real)
        return token if self.motion is None else self.motion(token, real)
