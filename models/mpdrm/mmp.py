"""MMP: multi-scale motion patterns, a gate computed from motion over several time scales.

The published abstract names the module and its role (multi-scale spatiotemporal facial features, inserted
in both branches); its form is not public, and the one below is ours:

    z      = S x                                     squeezed channels
    d_s[t] = |z[t+s] - z[t]|                         sudden motion over s steps
    m_s[t] = max(z[t], ..., z[t+s]) - z[t]           how far the coming peak lies above the present
    out    = x + x * tanh(M [d_s, m_s for all s])

Differences and maxima never look across a step that is not real, and a still face opens no gate beyond the
bias.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import silence

_SCALES = (1, 2, 4)  # steps; our choice
_REDUCTION = 4  # channel squeeze; our choice
_MIN_CHANNELS = 8  # a squeeze below this mixes unrelated motion; our choice


def _advance(x: Tensor, step: int) -> Tensor:
    """Shift x (B,T,...) so that out[t] = x[t + step], with zeros past the end."""
    step = min(step, x.shape[1])
    return F.pad(x[:, step:], (0, 0) * (x.dim() - 2) + (0, step))


def temporal_difference(x: Tensor, mask: Tensor, step: int) -> Tensor:
    """Return x[t + step] - x[t] along dimension 1, zero unless both steps are real.

    Examples:
        >>> x = torch.tensor([[[1.0], [4.0], [-2.0]]])
        >>> temporal_difference(x, torch.ones(1, 3, dtype=torch.bool), 1).flatten().tolist()
        [3.0, -6.0, 0.0]
    """
    return silence(_advance(x, step) - x, mask & _advance(mask.unsqueeze(-1), step).squeeze(-1))


def motion(x: Tensor, mask: Tensor, scales: Sequence[int]) -> Tensor:
    """Return sudden motion and coming peaks of x (B,T,C,...) at all scales, stacked along the channels.

    The peak above the present is the running maximum of the differences, floored at zero.
    """
    parts = []
    peak = torch.zeros_like(x)
    for step in range(1, max(scales) + 1):
        difference = temporal_difference(x, mask, step)
        peak = peak + F.relu(difference - peak)  # maximum; its own backward is several times slower on a CPU
        if step in scales:
            parts += [difference.abs(), peak]
    return torch.cat(parts, 2)


class _MMP(nn.Module):
    """What both forms share: the map S that squeezes channels and the map M from motion back to them."""

    def __init__(self, channels: int, *, scales: Sequence[int] = _SCALES) -> None:
        super().__init__()
        if channels < 1 or not scales or min(scales) < 1:
            raise ValueError(
                f"MMP got channels={channels}, scales={list(scales)}: both must be positive, e.g. "
                "scales=[1,2,4]"
            )
        self.scales = tuple(scales)
        squeezed = max(_MIN_CHANNELS, channels // _REDUCTION)
        self.squeeze = self._map(channels, squeezed)
        self.mix = self._map(2 * len(self.scales) * squeezed, channels)

    def _map(self, inputs: int, outputs: int) -> nn.Module:
        return nn.Linear(inputs, outputs)


class MMPSeries(_MMP):
    """MMP on series or tokens: (B,T,C) -> (B,T,C).

    Examples:
        >>> MMPSeries(16)(torch.randn(2, 8, 16), torch.ones(2, 8, dtype=torch.bool)).shape
        torch.Size([2, 8, 16])
    """

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Gate x (B,T,C) by its own motion; steps outside the mask (B,T) come back as zeros."""
        x = silence(x, mask)
        gate = torch.tanh(self.mix(motion(self.squeeze(x), mask, self.scales)))
        return silence(x + x * gate, mask)  # x itself stays in the sum: a face that rests is evidence too


class MMPMaps(_MMP):
    """MMP on feature maps: (B,T,C,H,W) -> (B,T,C,H,W), with a gate at half the spatial resolution.

    Examples:
        >>> MMPMaps(16)(torch.randn(2, 8, 16, 5, 5), torch.ones(2, 8, dtype=torch.bool)).shape
        torch.Size([2, 8, 16, 5, 5])
    """

    def _map(self, inputs: int, outputs: int) -> nn.Module:
        return nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Gate x (B,T,C,H,W) by its own motion; frames outside the mask (B,T) come back as zeros.

        Raises:
            ValueError: x are no maps but series, as a trunk on series gives.
        """
        if x.ndim != 5:
            raise ValueError(
                f"MMPMaps gates maps (B,T,C,H,W), and these are {tuple(x.shape)}: choose model/mmp=series "
                "for a trunk on series, or model/mmp=none"
            )
        x = silence(x, mask)
        # At half the resolution, where the differences and maxima over time cost a quarter; our choice.
        small = F.avg_pool2d(x.flatten(0, 1), 2, ceil_mode=True)  # (BT,C,H/2,W/2)
        squeezed = self.squeeze(small).unflatten(0, mask.shape)
        gate = torch.tanh(self.mix(motion(squeezed, mask, self.scales).flatten(0, 1)))
        gate = F.interpolate(gate, size=x.shape[-2:], mode="nearest").reshape(x.shape)
        return silence(x + x * gate, mask)
