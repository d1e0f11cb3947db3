"""Batches as the data rooms would hand them over, small enough for a contract suite."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

BatchFactory = Callable[..., dict[str, Any]]


def _batch(
    *,
    subjects: int = 3,
    visits: int = 2,
    clips: int = 2,
    steps: int = 12,
    channels: int | None = 5,
    size: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """`subjects` x `visits` x `clips` rows, one recording a visit; the last row is padded by two steps."""
    generator = torch.Generator().manual_seed(seed)
    rows = subjects * visits * clips
    index = torch.arange(rows)
    mask = torch.ones(rows, steps, dtype=torch.bool)
    mask[-1, -2:] = False
    batch: dict[str, Any] = {
        "mask": mask,
        "subject": index // (visits * clips),
        "visit": index // clips,
        "row": index // clips,
        "clip": index % clips,
        "scored": torch.ones(rows, dtype=torch.bool),
        "seed": index,
        "recording_id": [f"r{int(i) // clips}" for i in index],
        "subject_id": [f"s{int(i) // (visits * clips)}" for i in index],
        "session_id": [f"v{int(i) // clips % visits}" for i in index],
    }
    if channels is not None:
        values = torch.randn(rows, steps, channels, generator=generator)
        batch["series"] = values * mask[..., None]
    if size is not None:
        values = torch.randn(rows, steps, 3, size, size, generator=generator)
        batch["frames"] = values * mask[..., None, None, None]
    band = torch.randint(0, 4, (rows,), generator=generator)
    batch["targets"] = {"score": band * 12.0 + 3.0, "binary": (band > 1).float(), "band": band}
    batch["target_mask"] = {name: torch.ones(rows, dtype=torch.bool) for name in batch["targets"]}
    return batch


@pytest.fixture
def make_batch() -> BatchFactory:
    return _batch


@pytest.fixture
def statistics() -> dict[str, Tensor | float]:
    return {
        "series_mean": torch.zeros(5),
        "series_std": torch.ones(5),
        "score_mean": 20.0,
        "score_std": 10.0,
        "prevalence": 0.4,
    }


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
