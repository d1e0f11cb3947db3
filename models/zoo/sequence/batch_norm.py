"""Batch normalization with masks, for networks that were published with it."""

import torch
from torch import Tensor, nn


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch normalization over the real steps of a batch, x (B,T,D) under its mask (B,T).

    Padding enters neither the statistics nor the output. In evaluation the running statistics are used: a
    row is then the same alone and in any batch.

    Raises:
        ValueError: a training batch has fewer than two real steps.

    Example:
        >>> x, mask = torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[True, True, False]])
        >>> MaskedBatchNorm(1)(x, mask).round().flatten().tolist()
        [-1.0, 1.0, 0.0]
    """

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]  # a mask comes along
        """Normalize; unreal steps stay zero."""
        if self.training and mask.sum() < 2:
            raise ValueError(
                "batch normalization needs two real steps in a training batch; use larger batches"
            )
        out = torch.zeros_like(x)
        out[mask] = super().forward(x[mask]).to(x.dtype)
        return out
