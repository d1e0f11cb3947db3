"""A bidirectional LSTM as a trunk of series.

| choice | source |
|---|---|
| the cell | published: Hochreiter & Schmidhuber 1997; forget gate and biases as in torch |
| both directions, tokens are the states of the last layer | published: Graves & Schmidhuber 2005 |
| two layers of 32 a direction, the backward one from the last real step, MMP on the states | ours |
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.masking import silence, zero_masked


class LSTMTrunk(nn.Module):
    """Series (B,T,F) -> tokens (B,T,D): the states of both directions (Hochreiter & Schmidhuber 1997).

    The backward direction starts at the last real step, so that padding changes nothing. A gap inside is a
    step of zeros: time does not shrink around it.

    Args:
        channels: channels of the series.
        dim: width of the tokens, even: half of it for each direction.
        layers: stacked layers.
        dropout: between layers.
        mmp: multi-scale motion patterns on the states.

    Examples:
        >>> trunk = LSTMTrunk(channels=17, dim=32)
        >>> trunk(torch.randn(2, 20, 17), torch.ones(2, 20, dtype=torch.bool)).shape
        torch.Size([2, 20, 32])
    """

    def __init__(
        self,
        *,
        channels: int,
        dim: int = 64,
        layers: int = 2,
        dropout: float = 0.0,
        mmp: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if dim % 2:
            raise ValueError(f"dim={dim} cannot be shared by two directions: use an even width")
        self.dim = dim
        self.lstm = nn.LSTM(
            channels, dim // 2, num_layers=layers, batch_first=True, bidirectional=True, dropout=dropout
        )
        self.motion = mmp(dim) if mmp is not None else None

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map x (B,T,F) under its mask (B,T) to tokens (B,T,D); tokens of unreal steps are zero."""
        steps = torch.arange(1, x.shape[1] + 1, device=x.device)
        lengths = (mask * steps).amax(1).clamp_min(1).cpu()
        packed = pack_padded_sequence(zero_masked(x, mask), lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=x.shape[1])
        tokens: Tensor = silence(states, mask)
        return tokens if self.motion is None else self.motion(tokens, mask)
