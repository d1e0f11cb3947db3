"""The block of LMTformer: attention, aggregation and a gate of several scales, on maps (B,C,T,H,W).

| choice | source |
|---|---|
| attention, aggregation beside it and a gate behind, each of several scales | He et al. 2024 |
| queries, keys, values by 3-D convolutions of 3^3, 2^3, 1^3; scores are not scaled | public code |
| beside the attention, local features of queries, keys and values | public code |
| they are means of entries w apart of the row q1 k1 v1 q2 k2 v2 ... of a head of width w | public code |
| aggregation: convolutions of 3^3, 2^3, 1^3 one behind the other, each with its own shortcut | public code |
| its three results are joined and averaged over each three channels side by side | public code |
| gate: sigmoid of three convolutions of the mean over channels | public code |
| a 2^3 convolution looks one step back in time and one pixel up and left | public code |
| linear layers start uniform (Glorot), with biases of about 0 | public code |

Both means mix channels, and not the three scales of one channel. Layer normalization makes the mean that the
gate reads 0 at first, so that it starts at a half. Both are kept as the public code has them.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_EPS = 1e-6  # of layer normalization, and the spread of biases at the start: the public code


def _convolution(width: int, kernel: int) -> nn.Conv3d:
    return nn.Conv3d(width, width, kernel, padding=kernel // 2 if kernel % 2 else 0, bias=False)


def _back(x: Tensor) -> Tensor:
    """Pad (B,C,T,H,W) before its beginnings, so that a convolution of 2^3 keeps the size."""
    return F.pad(x, (1, 0, 1, 0, 1, 0))


class MultiScaleAttention(nn.Module):
    """softmax(q k) v + local features, with q, k, v from convolutions of several sizes; (B,C,T,H,W) kept.

    The scores are not divided by the root of the width of a head.

    Args:
        width: C, a multiple of `heads`.
        heads: of the attention.
        dropout: of the scores.
    """

    def __init__(self, *, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.drop = heads, nn.Dropout(dropout)
        self.query = nn.Sequential(_convolution(width, 3), nn.BatchNorm3d(width))
        self.key = nn.Sequential(_convolution(width, 2), nn.BatchNorm3d(width))
        self.value = _convolution(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended maps."""
        maps = (self.query(x), self.key(_back(x)), self.value(x))
        q, k, v = (part.reshape(len(x), self.heads, -1, x[0, 0].numel()) for part in maps)  # (B,heads,w,N)
        weights = self.drop((q.transpose(2, 3) @ k).softmax(-1))  # (B,heads,N,N)
        attended = v @ weights.transpose(2, 3)
        # q1 k1 v1 q2 k2 v2 ..., cut into three runs of w: one of each, but not of the same channel
        mixed = torch.stack((q, k, v), 3).reshape(len(x), self.heads, 3, -1, q.shape[-1]).mean(2)
        out: Tensor = (attended + mixed).reshape(x.shape)
        return out


class _Aggregation(nn.Module):
    """Three convolutions one behind the other with shortcuts; their results joined and averaged in threes."""

    def __init__(self, *, width: int) -> None:
        super().__init__()
        self.large, self.even, self.point = (_convolution(width, kernel) for kernel in (3, 2, 1))

    def forward(self, x: Tensor) -> Tensor:
        first = self.large(x) + x
        second = self.even(_back(first)) + first
        third = self.point(second) + second
        joined = torch.cat((first, second, third), 1)
        return joined.reshape(len(x), -1, 3, *x.shape[2:]).mean(2)


class _Gate(nn.Module):
    """x * sigmoid(sum over sizes of conv(mean of x over channels))."""

    def __init__(self) -> None:
        super().__init__()
        self.point, self.even, self.large = (_convolution(1, kernel) for kernel in (1, 2, 3))

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(1, keepdim=True)
        gate: Tensor = self.point(mean) + self.even(_back(mean)) + self.large(mean)
        return x * gate.sigmoid()


class _ChannelNorm(nn.LayerNorm):
    """Layer normalization over the channels of (B,C,T,H,W)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class MultiScaleBlock(nn.Module):
    """y = aggregation(x) + linear(attention(norm(x))); out = y + gate(norm(y)); (B,C,T,H,W) kept.

    Args:
        width: C, a multiple of `heads`.
        heads: of the attention.
        dropout: of scores, attention and gate.
    """

    def __init__(self, *, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm = _ChannelNorm(width, eps=_EPS)
        self.attention = MultiScaleAttention(width=width, heads=heads, dropout=dropout)
        self.linear = nn.Linear(width, width)
        self.aggregation = _Aggregation(width=width)
        self.gate_norm = _ChannelNorm(width, eps=_EPS)
        self.gate = _Gate()
        self.drop = nn.Dropout(dropout)
        nn.init.xavier_uniform_(self.linear.weight)
        nn.init.normal_(self.linear.bias, std=_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps behind the block."""
        attended = self.linear(self.attention(self.norm(x)).movedim(1, -1)).movedim(-1, 1)
        x = self.aggregation(x) + self.drop(attended)
        out: Tensor = x + self.drop(self.gate(self.gate_norm(x)))
        return out
