"""Seeding of a run and of its single training steps."""

import os

import pytorch_lightning as pl
import torch

_STEP = 1_000_003  # a prime: neighboring (seed, step) pairs do not collide
_RANK = 7_368_787
_MODULUS = 2**63 - 25  # largest prime below what `torch.manual_seed` takes


def seed_run(seed: int) -> int:
    """Seed Python, NumPy and torch in this process and in the loaders' workers.

    Zero is a seed like any other.

    Raises:
        TypeError: The seed is no integer; a run without a seed cannot be repeated.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed: {seed!r} is no integer. Give one, e.g. seed=0; every run is seeded.")
    # cuBLAS is only deterministic with a fixed workspace, and reads this when CUDA starts
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # `deterministic` would also fill all memory that is about to be written, which only helps to find who
    # reads it before; it changes no number, and costs a pass over every new tensor
    # (ignored: torch puts this property on the module's class when it is imported)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return pl.seed_everything(seed, workers=True, verbose=False)


def step_seed(seed: int, step: int, rank: int) -> int:
    """Seed of one optimization step on one rank, a pure function of its arguments.

    Examples:
        >>> step_seed(0, 1, 0) != step_seed(0, 2, 0) != step_seed(1, 1, 0)
        True
    """
    return (seed * _STEP**2 + step * _STEP + rank * _RANK) % _MODULUS


def seed_step(seed: int, step: int, rank: int) -> None:
    """Seed torch for one step, so that a resumed run needs no random state from the run before."""
    torch.manual_seed(step_seed(seed, step, rank))
