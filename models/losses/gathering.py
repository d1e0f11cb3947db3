"""Gathering of the rows of all ranks into one batch, for losses that compare clips with each other."""

import torch
import torch.distributed as dist
from torch import Tensor


def ranks() -> int:
    """How many processes train together; 1 where nothing is distributed."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def join_rows(values: Tensor) -> Tensor:
    """The rows (B, ...) of every rank in the order of the ranks, (sum of B, ...).

    Only this rank's rows carry a gradient, times the number of ranks. A loss of the joined batch is the same
    on all ranks, and its gradient for this rank's rows is complete, because the loss holds every pair that
    they are part of. What trains on several ranks (DDP, FSDP) averages their gradients; the factor turns this
    mean into the sum over ranks, which is the gradient of one process on the joined batch.

    Ranks may hold different numbers of rows. Every rank must call it, as often as the others.
    """
    own = torch.tensor([len(values)], device=values.device)
    sizes = [torch.empty_like(own) for _ in range(ranks())]
    dist.all_gather(sizes, own)
    counts = [int(size) for size in sizes]
    padded = values.detach().new_zeros((max(counts), *values.shape[1:]))
    padded[: len(values)] = values.detach()
    parts = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(parts, padded)
    rows = [part[:count] for part, count in zip(parts, counts, strict=True)]
    if values.requires_grad:
        rows[dist.get_rank()] = values.detach() + ranks() * (values - values.detach())
    return torch.cat(rows)
