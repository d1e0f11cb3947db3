import random
import warnings

import numpy as np
import pytest
import torch

from engine.runs.seed import seed_run, seed_step, step_seed


def draws():
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_seed_zero_is_applied():
    seed_run(0)
    first = draws()
    seed_run(0)
    assert draws() == first
    seed_run(1)
    assert all(a != b for a, b in zip(draws(), first, strict=True))


@pytest.mark.parametrize("seed", [None, "0", 1.5, True])
def test_a_run_without_a_seed_is_refused(seed):
    with pytest.raises(TypeError, match="seed=0"):
        seed_run(seed)


def test_step_seeds_differ_between_seeds_steps_and_ranks():
    seeds = [step_seed(seed, step, rank) for seed in range(5) for step in range(200) for rank in range(4)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert step_seed(2**62, 10**9, 512) >= 0


def test_a_step_draws_the_same_whatever_was_drawn_before():
    seed_step(3, 7, 0)
    first = torch.rand(4)
    torch.rand(123)
    seed_step(3, 7, 0)
    assert torch.equal(torch.rand(4), first)


def test_seeding_silences_nothing():
    before = list(warnings.filters)
    seed_run(0)
    assert warnings.filters == before
