"""Selective state spaces in both directions, as in DepMamba (arXiv 2409.15936), as a trunk of series.

    h[t] = exp(s[t] A) h[t-1] + s[t] b[t] x[t],    y[t] = c[t] . h[t] + d x[t],    A = -exp(log A) < 0

for every channel x, with N states h; step s, b and c depend on the input of the step.

| choice | source |
|---|---|
| gate, convolution of 4, steps of rank D / 16 and their start, A = -1 ... -N at the start | Gu & Dao 2023 |
| exp(s A) for the decay, but s b for the drive | public code of Mamba |
| both directions share the maps in and out, and their mean is gated | Vision Mamba: Zhu et al. 2024 |
| layer: x + drop(relu(norm(conv x))), then x + norm(mamba x) | public code of DepMamba |
| width 256, expand 4, dropout .1; 16 states on LMVD, 12 on D-Vlog | public code of DepMamba |
| two layers, at the width of one stream | ours |
| a step of 0 where nothing is real: the state waits, as Mamba skips an input | ours |
| scan in plain torch, MMP on the tokens | ours |

DepMamba (Ye et al. 2025) hears and sees: in its first layer two streams share A, its second is 512 wide. The
mean over time is the network's, as published. Decays and states take 2 B T E N numbers of 32 bits, E = 4 D,
for each layer and direction.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import silence, zero_masked
from models.zoo.sequence.batch_norm import MaskedBatchNorm
from models.zoo.sequence.scan import scan

WIDTH = 256  # and below, of the public code of DepMamba for LMVD
LAYERS = 2
STATE = 16
EXPAND = 4
DROPOUT = 0.1
_LOCAL = 3  # steps of the convolution of a layer, and of that in a block
_KERNEL = 4
_RANK = 16  # the step has a sixteenth of the width as its rank, and starts in this range; Gu & Dao 2023
_STEPS = (1e-3, 1e-1)
_EPSILON = 1e-6


def selective_scan(x: Tensor, step: Tensor, rate: Tensor, write: Tensor, read: Tensor) -> Tensor:
    """Return y[t] = read[t] . h[t] of h[t] = exp(step[t] rate) h[t-1] + step[t] write[t] x[t], (B,T,E).

    Computed in float32, by products of elements alone: autocast would run a matmul in bfloat16.

    Args:
        x: (B,T,E).
        step: (B,T,E), 0 or above; 0 keeps the state and leaves x out.
        rate: (E,N), below 0.
        write: (B,T,N).
        read: (B,T,N).

    Examples:
        >>> one = torch.ones(1, 3, 1)
        >>> selective_scan(one, one, torch.full((1, 1), -0.6931472), one, one).flatten()
        tensor([1.0000, 1.5000, 1.7500])
    """
    x, step, rate, write, read = (value.float() for value in (x, step, rate, write, read))
    states = scan((step.unsqueeze(-1) * rate).exp(), (step * x).unsqueeze(-1) * write.unsqueeze(2))
    return (states * read.unsqueeze(2)).sum(-1)


class _Direction(nn.Module):
    """Causal convolution, then the selective scan; x (B,T,E), zero where nothing is real."""

    def __init__(self, *, inner: int, rank: int, state: int) -> None:
        super().__init__()
        self.sizes = (rank, state, state)
        self.conv = nn.Conv1d(inner, inner, _KERNEL, padding=_KERNEL - 1, groups=inner)
        self.select = nn.Linear(inner, sum(self.sizes), bias=False)
        self.step = nn.Linear(rank, inner)
        # one row, so that weight decay leaves it out as in the public code
        self.log_rate = nn.Parameter(torch.arange(1.0, state + 1).log().repeat(inner))
        self.skip = nn.Parameter(torch.ones(inner))
        nn.init.uniform_(self.step.weight, -(rank**-0.5), rank**-0.5)
        low, high = (math.log(step) for step in _STEPS)
        start = (low + (high - low) * torch.rand(inner)).exp()
        with torch.no_grad():
            self.step.bias.copy_(start + (-torch.expm1(-start)).log())  # softplus of it is the start

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = F.silu(self.conv(x.transpose(1, 2))[..., : x.shape[1]]).transpose(1, 2)
        step, write, read = self.select(x).split(self.sizes, -1)
        step = silence(F.softplus(self.step(step).float()), mask)
        rate = -self.log_rate.float().exp().view(-1, self.sizes[1])
        return selective_scan(x, step, rate, write, read) + self.skip * x


class BiMamba(nn.Module):
    """out((ahead(u) + back(u)) / 2 * silu(z)) with u, z = in(x); x (B,T,D) -> (B,T,D).

    Steps that are not real must be zero, and leave the states of both directions as they are.

    Args:
        dim: D.
        state: states a channel.
        expand: width inside, as a multiple of D.
    """

    def __init__(self, *, dim: int, state: int = STATE, expand: int = EXPAND) -> None:
        super().__init__()
        inner, rank = expand * dim, -(-dim // _RANK)
        self.enter = nn.Linear(dim, 2 * inner, bias=False)
        self.ahead = _Direction(inner=inner, rank=rank, state=state)
        self.back = _Direction(inner=inner, rank=rank, state=state)
        self.leave = nn.Linear(inner, dim, bias=False)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map x (B,T,D) under its mask (B,T)."""
        inner, gate = self.enter(x).chunk(2, -1)
        back = self.back(inner.flip(1), mask.flip(1)).flip(1)
        out: Tensor = self.leave((self.ahead(inner, mask) + back) / 2 * F.silu(gate))
        return out


class _Layer(nn.Module):
    """What is near by a convolution, then what is far by the state spaces."""

    def __init__(self, *, dim: int, state: int, expand: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(dim, dim, _LOCAL, padding=_LOCAL // 2, bias=False)
        nn.init.xavier_uniform_(self.conv.weight)
        self.local_norm = MaskedBatchNorm(dim)
        self.drop = nn.Dropout(dropout)
        self.mamba = BiMamba(dim=dim, state=state, expand=expand)
        self.norm = nn.LayerNorm(dim, eps=_EPSILON)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        near = self.local_norm(self.conv(x.transpose(1, 2)).transpose(1, 2), mask)
        x = x + self.drop(near.relu())
        return silence(x + self.norm(self.mamba(x, mask)), mask)


class StateSpaceTrunk(nn.Module):
    """Series (B,T,F) -> tokens (B,T,D); every token sees all steps before it, and all behind it.

    Padding a clip changes none of its tokens, and a gap inside is a pause: the states wait. It is a borrowed
    network and keeps its batch normalization, over real steps only.

    Args:
        channels: channels of the series.
        dim: width of the tokens.
        layers: how many.
        state: states a channel.
        expand: width inside a block, as a multiple of `dim`.
        dropout: behind the convolutions.
        mmp: multi-scale motion patterns on the tokens; not part of it.

    Examples:
        >>> trunk = StateSpaceTrunk(channels=17, dim=16, state=4, expand=2)
        >>> trunk(torch.randn(2, 20, 17), torch.ones(2, 20, dtype=torch.bool)).shape
        torch.Size([2, 20, 16])
    """

    def __init__(
        self,
        *,
        channels: int,
        dim: int = WIDTH,
        layers: int = LAYERS,
        state: int = STATE,
        expand: int = EXPAND,
        dropout: float = DROPOUT,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.enter = nn.Linear(channels, dim, bias=False)
        nn.init.xavier_uniform_(self.enter.weight)
        self.layers = nn.ModuleList(
            _Layer(dim=dim, state=state, expand=expand, dropout=dropout) for _ in range(layers)
        )
        self.motion = mmp(dim) if mmp is not None else None

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map x (B,T,F) under its mask (B,T) to tokens (B,T,D); tokens of unreal steps are zero."""
        tokens: Tensor = self.enter(zero_masked(x, mask))
        for layer in self.layers:
            tokens = layer(tokens, mask)
        return tokens if self.motion is None else self.motion(tokens, mask)
