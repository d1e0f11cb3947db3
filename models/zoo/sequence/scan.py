"""Linear recurrences over time, many steps at once: h[t] = a[t] h[t-1] + u[t], h[-1] = 0.

Its step is associative, (a, u) then (b, v) being (a b, b u + v) (Blelloch 1990), so that it need not be
taken one by one: chunks of about the root of T steps run side by side, then their ends one after the other,
and what came before a chunk is added to it. That takes 2 sqrt(T) operations in a row instead of T, which is
what a GPU waits for; a CPU waits for memory, and takes the steps as they come. With a in [0, 1] only products
of decays occur, never quotients: what is forgotten becomes 0 and nothing overflows.

The gradient is the same recurrence backwards, g[t] = dL/dh[t] + a[t+1] g[t+1], with dL/du[t] = g[t] and
dL/da[t] = g[t] h[t-1]; a and h are all that is kept for it.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def scan(decay: Tensor, drive: Tensor) -> Tensor:
    """Return the states h (B,T,...) of h[t] = decay[t] h[t-1] + drive[t], both (B,T,...), decay in [0, 1].

    Examples:
        >>> scan(torch.tensor([[0.5, 0.5, 0.5]]), torch.tensor([[4.0, 0.0, 1.0]]))
        tensor([[4., 2., 2.]])
    """
    states: Tensor = _Scan.apply(decay, drive)
    return states


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(decay: Tensor, drive: Tensor) -> Tensor:
        return _states(decay, drive)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        decay, states = ctx.saved_tensors
        following = torch.cat((decay[:, 1:], torch.zeros_like(decay[:, :1])), 1)
        flow = _states(following.flip(1), grads[0].flip(1)).flip(1)
        before = torch.cat((torch.zeros_like(states[:, :1]), states[:, :-1]), 1)
        return flow * before, flow


def _states(decay: Tensor, drive: Tensor) -> Tensor:
    return _one_by_one(decay, drive, dim=1) if decay.device.type == "cpu" else _in_chunks(decay, drive)


def _in_chunks(decay: Tensor, drive: Tensor) -> Tensor:
    steps = decay.shape[1]
    size = math.isqrt(steps - 1) + 1
    chunks = -(-steps // size)
    pad = (0, 0) * (decay.dim() - 2) + (0, chunks * size - steps)
    shape = (len(decay), chunks, size, *decay.shape[2:])
    decay, drive = (F.pad(x, pad).reshape(shape) for x in (decay, drive))
    inner = _one_by_one(decay, drive, dim=2)
    reach = decay.cumprod(2)  # how much of what came before a chunk is left at its steps
    ends = _one_by_one(reach[:, :, -1], inner[:, :, -1], dim=1)
    before = torch.cat((torch.zeros_like(ends[:, :1]), ends[:, :-1]), 1)
    return (inner + reach * before.unsqueeze(2)).flatten(1, 2)[:, :steps]


def _one_by_one(decay: Tensor, drive: Tensor, *, dim: int) -> Tensor:
    pairs = zip(decay.unbind(dim), drive.unbind(dim), strict=True)
    states = [next(pairs)[1]]
    for a, u in pairs:
        states.append(torch.addcmul(u, a, states[-1]))
    return torch.stack(states, dim)
