"""Batch normalization with masks, for networks that were published with it."""

import torch
from torch import Tensor, nn

from models.masking import silence, zero_masked


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch normalization over the real steps of a batch, x (B,T,D) under its mask (B,T).

    Padding enters neither the statistics nor the output. In evaluation the running statistics are used: a
    row is then the same alone and in any batch.

    Raises:
        ValueError: a training batch has one real step. One without any, as of a feature set that no clip of
            the batch has, changes nothing.

    Examples:
        >>> x, mask = torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[True, True, False]])
        >>> (MaskedBatchNorm(1)(x, mask).round() + 0).flatten().tolist()
        [-1.0, 1.0, 0.0]
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]  # a mask comes along
        """Normalize; unreal steps stay zero.

        Sums under the mask, because whoever picks the real steps out waits for the device to count them.
        Their number is checked on a CPU, where it is at hand.
        """
        steps = zero_masked(x.to(torch.promote_types(x.dtype, torch.float32)), mask)
        if not self.training:
            return silence(self._scaled(steps, self.running_mean, self.running_var), mask).to(x.dtype)
        count = mask.sum()
        if mask.device.type == "cpu" and not torch.compiler.is_compiling() and count == 1:
            raise ValueError(
                "batch normalization needs two real steps in a training batch; use larger batches"
            )
        some = count.clamp_min(1)
        mean = steps.sum((0, 1)) / some
        var = silence(steps - mean, mask).square().sum((0, 1)) / some
        with torch.no_grad():
            moved = (count > 0).to(mean.dtype) * self.momentum
            self.running_mean.lerp_(mean, moved)
            unbiased = var * count / (count - 1).clamp_min(1)  # which is what torch keeps
            self.running_var.lerp_(unbiased, moved)
            self.num_batches_tracked.add_(count > 0)
        return silence(self._scaled(steps, mean, var), mask).to(x.dtype)

    def _scaled(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) * ((var + self.eps).rsqrt() * self.weight) + self.bias
