"""Masking: operations under which unreal (padded) steps of a tensor change nothing.

Time is dimension 1 throughout: (B,T,...) with a mask (B,T).
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def like(mask: Tensor, x: Tensor) -> Tensor:
    """Return the mask (B,T) with trailing singleton dimensions, so that it broadcasts against x (B,T,...)."""
    return mask.reshape(mask.shape + (1,) * (x.dim() - mask.dim()))


def zero_masked(x: Tensor, mask: Tensor) -> Tensor:
    """Return x (B,T,...) with zeros at steps that are not real; NaNs there are replaced as well."""
    return x.masked_fill(~like(mask, x), 0.0)


def silence(x: Tensor, mask: Tensor) -> Tensor:
    """Return x (B,T,...) times its mask: `zero_masked` for finite values, at a fifth of the time on a CPU."""
    return x * like(mask, x).to(x.dtype)


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of x (B,T,D) over the real steps, (B,D); zeros where no step is real.

    Examples:
        >>> masked_mean(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[True, True, False]]))
        tensor([[2.]])
    """
    return zero_masked(x, mask).sum(1) / mask.sum(1, keepdim=True).clamp_min(1)


def labeled_mean(loss: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the losses whose label is known (mask); zero with a gradient where none is."""
    mask = mask.expand_as(loss)
    return loss.masked_fill(~mask, 0.0).sum() / mask.sum().clamp_min(1)


def token_mask(mask: Tensor, steps: int, *, cells: int = 1, size: int | None = None) -> Tensor:
    """Return the mask (B,T) at a trunk's resolution, (B,steps): a token is real if any of its frames is.

    Tokens of `size` frames each, the last of what is left. Where nobody says their size it is taken to be the
    power of 2 that gives as many, as networks halve the frames again and again; else k = ceil(T / steps), if
    that gives as many; else even shares. 9 frames make 3 tokens by fours, but by threes as well, so whoever
    pools otherwise must say it. Where space was kept, `cells` tokens in a row are of the same frames.

    Raises:
        ValueError: Frames of this number do not make as many tokens of this size.

    Examples:
        >>> token_mask(torch.tensor([[True, True, False]]), 6, cells=2).int().tolist()
        [[1, 1, 1, 1, 0, 0]]
    """
    if cells > 1:
        return token_mask(mask, steps // cells, size=size).repeat_interleave(cells, 1)
    if mask.shape[1] == steps:
        return mask
    given, size = size, size or _usual_size(mask.shape[1], steps)
    if -(-mask.shape[1] // size) == steps:
        return F.pad(mask, (0, size * steps - mask.shape[1])).reshape(-1, steps, size).any(2)
    if given is not None:
        raise ValueError(
            f"{mask.shape[1]} frames make no {steps} tokens of {size}: give the size that was pooled"
        )
    return F.adaptive_max_pool1d(mask.float().unsqueeze(1), steps).squeeze(1) > 0


def _usual_size(frames: int, steps: int) -> int:
    halving = (2**times for times in range(1, frames.bit_length() + 1))
    return next((size for size in halving if -(-frames // size) == steps), -(-frames // steps))


def pool_steps(x: Tensor, mask: Tensor, size: int) -> Tensor:
    """Return the mean of every `size` successive real steps of x (B,T,D), (B,ceil(T/size),D).

    The last token has what is left; zeros where no step is real. The mask of the tokens is
    `token_mask` of this size.

    Examples:
        >>> x = torch.tensor([[[1.0], [3.0], [5.0]]])
        >>> pool_steps(x, torch.tensor([[True, True, True]]), 2).flatten().tolist()
        [2.0, 5.0]
    """
    if size == 1:
        return silence(x, mask)
    short = -x.shape[1] % size
    steps = (x.shape[1] + short) // size
    total = F.pad(silence(x, mask), (0, 0, 0, short)).reshape(len(x), steps, size, -1).sum(2)
    count = F.pad(mask, (0, short)).reshape(len(x), steps, size).sum(2)
    return total / count.clamp_min(1).unsqueeze(-1)


def hold_last(x: Tensor, mask: Tensor) -> Tensor:
    """Return x (B,T,...) with each unreal step replaced by the last real one before it.

    Networks that convolve through time would see a black padding as a sudden motion; a held frame is none.
    Leading unreal steps take the first real step; rows without any are zero.
    """
    steps = torch.arange(x.shape[1], device=x.device)
    last = torch.where(mask, steps, -1).cummax(1).values
    first = mask.to(torch.uint8).argmax(1, keepdim=True)
    source = torch.where(last < 0, first, last)
    held = x.gather(1, like(source, x).expand_as(x))
    return held.masked_fill(~like(mask.any(1, keepdim=True), x), 0.0)
