"""Standardization of series channels by statistics of the training part, kept in the checkpoint."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.masking import zero_masked

_CONSTANT = 1e-6  # a channel that moves less than this in training carries nothing; its scale is left at 1

Statistics = Mapping[str, Tensor | float]


class Standardize(nn.Module):
    """(x - mean) / std per channel, zero at steps that are not real; identity until statistics are set.

    Args:
        channels: F.
        first: Place of the first of them among those that the statistics are of.
        among: How many these are; None where they are of these channels alone.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, *, channels: int, first: int = 0, among: int | None = None) -> None:
        super().__init__()
        self._own, self._among = slice(first, first + channels), channels if among is None else among
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("std", torch.ones(channels))

    def set_statistics(self, stats: Statistics) -> None:
        """Store `series_mean` and `series_std`, both (F,), of the training recordings.

        Raises:
            ValueError: if they are missing, not finite, or of another number of channels.
        """
        mean, std = (torch.as_tensor(stats.get(key, torch.nan)) for key in ("series_mean", "series_std"))
        if not mean.ndim:
            raise ValueError("the training statistics hold no series: no channels to standardize")
        if mean.shape != (self._among,) or std.shape != (self._among,):
            raise ValueError(
                f"series statistics of shape {tuple(mean.shape)} for {self._among} channels: "
                f"set data.channels={mean.numel()}, what the files hold, or name those to use in "
                "data.module.source.channels"
            )
        if not (torch.isfinite(mean).all() and torch.isfinite(std).all()):
            raise ValueError(
                "series_mean or series_std is not finite: look for empty or all-invalid series files"
            )
        self.mean.copy_(mean[self._own])
        self.std.copy_(torch.where(std > _CONSTANT, std, 1.0)[self._own])

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Standardize x (B,T,F) under its mask (B,T)."""
        return zero_masked((x - self.mean) / self.std, mask)


def set_statistics(network: nn.Module, stats: Statistics) -> None:
    """Hand the training statistics to every part of the network that keeps some."""
    for module in network.modules():
        keep = getattr(module, "set_statistics", None)
        if module is not network and callable(keep):
            keep(stats)
