"""FacialPulse-like: recurrent streams on landmarks (Wang et al. 2024, arXiv 2408.03499), as a trunk.

| choice | source |
|---|---|
| two streams, of positions and of their changes, each a bidirectional GRU | published |
| 64 units a direction | a summary of the paper |
| the start of both directions is learned, the last state of each is read | public code |
| whole landmarks left out, .1 of them, the same in all frames and clips of a batch | public code |
| dropout .5, x + W relu(V x) of 64 with dropout .5 inside, dropout .5 | public code |
| both streams in one network, trained together; their tokens side by side | ours |
| the backward direction starts at the last real frame; a gap is a frame of zeros, and no change | ours |

The public code has 32 units by default; its settings are not public. It trains each stream by itself to
predict the score; a linear head on both tokens is the sum of a head on each. The published landmarks are
tracked and smoothed (Lucas-Kanade, Kalman) and cut to a fixed length before the network sees them.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from models.inputs import backward_difference
from models.masking import token_mask, zero_masked

WIDTH = 256  # two streams x two directions x 64 units
INSIDE = 64
LANDMARK_DROPOUT = 0.1
DROPOUT = 0.5
_SHARES = 4
_COORDINATES = 2


class LandmarkDropout(nn.Module):
    """Leaves whole landmarks out of x (B,T,2L) with channels x, y, x, y, ...: the same ones at every step.

    The others are divided by the share that is kept, as dropout does; nothing changes in evaluation.

    Args:
        p: share of the landmarks that is left out.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Return x without them."""
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(x.shape[-1] // _COORDINATES, device=x.device) >= self.p
        return x * kept.repeat_interleave(_COORDINATES) / (1 - self.p)


class _Stream(nn.Module):
    """GRU, its last states, and a residual feed-forward layer: x (B,T,F) -> (B,2H)."""

    def __init__(
        self, *, channels: int, hidden: int, inside: int, landmark_dropout: float, dropout: float
    ) -> None:
        super().__init__()
        self.landmarks = LandmarkDropout(landmark_dropout)
        self.start = nn.Parameter(torch.randn(2, 1, hidden))
        self.gru = nn.GRU(channels, hidden, batch_first=True, bidirectional=True)
        self.drop = nn.Dropout(dropout)
        self.inside = nn.Sequential(
            nn.Linear(2 * hidden, inside), nn.ReLU(), nn.Dropout(dropout), nn.Linear(inside, 2 * hidden)
        )

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.landmarks(x), lengths, batch_first=True, enforce_sorted=False)
        _, last = self.gru(packed, self.start.expand(-1, len(x), -1).contiguous())
        state = self.drop(last.transpose(0, 1).flatten(1))
        out: Tensor = self.drop(state + self.inside(state))
        return out


class FacialPulseTrunk(nn.Module):
    """Landmarks (B,T,F), channels x, y, x, y, ... -> one token (B,1,D); padding a clip does not change it.

    Args:
        channels: F, two for each landmark: 136 of 68 in the paper.
        dim: D, a quarter for each direction of each stream.
        inside: width inside the feed-forward layers.
        landmark_dropout: share of the landmarks that is left out in training.
        dropout: around and inside the feed-forward layers.
        mmp: None, as one token has no motion; here because every trunk takes it.

    Raises:
        ValueError: channels or a width that cannot be shared, or an MMP.

    Examples:
        >>> trunk = FacialPulseTrunk(channels=136, dim=16)
        >>> trunk(torch.randn(2, 20, 136), torch.ones(2, 20, dtype=torch.bool)).shape
        torch.Size([2, 1, 16])
    """

    def __init__(
        self,
        *,
        channels: int,
        dim: int = WIDTH,
        inside: int = INSIDE,
        landmark_dropout: float = LANDMARK_DROPOUT,
        dropout: float = DROPOUT,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if mmp is not None:
            raise ValueError(
                "FacialPulse makes one token of a clip, which has no motion for MMP: model/mmp=none"
            )
        if channels % _COORDINATES:
            raise ValueError(
                f"channels={channels} are not x and y of landmarks: choose data of landmarks, such as "
                "data=synthetic_landmarks or data=dvlog"
            )
        if dim % _SHARES:
            raise ValueError(
                f"dim={dim} cannot be shared by two directions of two streams: use a multiple of {_SHARES}"
            )
        self.dim = dim
        self.positions, self.changes = (
            _Stream(
                channels=channels,
                hidden=dim // _SHARES,
                inside=inside,
                landmark_dropout=landmark_dropout,
                dropout=dropout,
            )
            for _ in range(2)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map x (B,T,F) under its mask (B,T) to tokens (B,1,D); zero where no step is real."""
        steps = torch.arange(1, x.shape[1] + 1, device=x.device)
        lengths = (mask * steps).amax(1).clamp_min(1).cpu()
        x = zero_masked(x, mask)
        token = torch.cat(
            (self.positions(x, lengths), self.changes(backward_difference(x, mask), lengths)), 1
        )
        return zero_masked(token.unsqueeze(1), token_mask(mask, 1))
