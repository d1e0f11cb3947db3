import subprocess
import sys
from pathlib import Path

import numpy as np

from datamodules.clips.seeding import clip_seed, rng


def test_every_part_counts_and_the_seed_fits_int64():
    base = clip_seed(0, 1, "a", 2)
    others = {
        clip_seed(1, 1, "a", 2),
        clip_seed(0, 2, "a", 2),
        clip_seed(0, 1, "b", 2),
        clip_seed(0, 1, "a", 3),
    }
    assert len(others | {base}) == 5
    seeds = [clip_seed(0, epoch, f"r{recording}", 0) for epoch in range(30) for recording in range(100)]
    assert len(set(seeds)) == 3000
    assert 0 <= min(seeds) < max(seeds) < 2**63
    assert clip_seed(0, 1, "2/a", 2) != clip_seed(0, 1, "a", 2)


def test_the_same_in_another_process():
    code = "from datamodules.clips.seeding import clip_seed; raise SystemExit(clip_seed(3, 1, 'x', 0) % 251)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=Path(__file__).parents[3],
        env={"PYTHONHASHSEED": "7"},
    )
    assert run.returncode == clip_seed(3, 1, "x", 0) % 251


def test_generators_are_fresh():
    assert rng(0, 0, "a").random() == rng(0, 0, "a").random() != rng(0, 1, "a").random()
    bits = np.array([clip_seed(0, 0, f"{name}", 0) >> 62 & 1 for name in range(2000)])
    assert abs(bits.mean() - 0.5) < 0.05
