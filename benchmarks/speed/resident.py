"""Trainings on batches that are in memory: composed configs, drawn batches, and a data module of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from datamodules.datamodule import ClipDataModule
from datamodules.manifests.manifest import manifest_from_table
from engine.config.build import build
from models.task import Task

Batch = dict[str, Any]


def drawn_batch(config: Mapping[str, Any], *, persons: int, visits: int, seed: int) -> Batch:
    """A batch as `collate` makes it, of one clip a visit, with random content and labels of all kinds."""
    draw = torch.Generator().manual_seed(seed)
    rows = torch.arange(persons * visits)
    count, subject = len(rows), torch.arange(persons).repeat_interleave(visits)
    content = _content(config, count, draw)
    steps = next(iter(content.values())).shape[1]
    known = torch.ones(count, dtype=torch.bool)
    return content | {
        "mask": torch.ones(count, steps, dtype=torch.bool),
        "targets": {
            "score": torch.rand(count, generator=draw) * 40,
            "binary": (rows % 2).float(),
            "band": rows % 4,
        },
        "target_mask": dict.fromkeys(("score", "binary", "band"), known),
        "traits": torch.rand(count, 5, generator=draw),
        "traits_mask": known[:, None].expand(-1, 5),
        **{"subject": subject, "visit": rows, "row": rows, "clip": torch.zeros_like(rows)},
        "seed": torch.randint(2**40, (count,), generator=draw),
        "scored": known,
        **{"recording_id": [f"r{row}" for row in rows], "subject_id": [f"s{one}" for one in subject]},
        "session_id": [f"v{row}" for row in rows],
        "errors": [],
    }


def _content(config: Mapping[str, Any], count: int, draw: torch.Generator) -> dict[str, Tensor]:
    module = config["data"]["module"]
    length = module["train_clips"]["length"]
    if "channels" in config["data"]:
        series = torch.randn(count, length, config["data"]["channels"], generator=draw)
        if (widths := config["data"].get("widths")) is None:
            return {"series": series}
        return {"series": series, "set_mask": torch.ones(count, length, len(widths), dtype=torch.bool)}
    video = module["source"]["video"]
    shape = (count, length, 3, video["height"], video["width"])
    return {"frames": torch.randint(256, shape, dtype=torch.uint8, generator=draw)}


def statistics(config: Mapping[str, Any]) -> dict[str, Tensor | float]:
    """Statistics of a training part, made up."""
    known: dict[str, Tensor | float] = {"score_mean": 15.0, "score_std": 10.0, "prevalence": 0.4}
    known |= {"traits_mean": torch.full((5,), 0.5), "traits_std": torch.full((5,), 0.2)}
    if (width := config["data"].get("channels")) is not None:
        names = ("series_std", "series_person_level", "series_person_gain")
        known |= {"series_mean": torch.zeros(width)} | {name: torch.ones(width) for name in names}
    return known


def drawn_task(config: Mapping[str, Any], *, seed: int = 0) -> Task:
    """The task of a config, its first weights drawn by a seed."""
    torch.manual_seed(seed)
    task: Task = build(config["model"], key="model")
    task.set_statistics(statistics(config))
    return task


class _Epoch:
    """Batches in their order; Lightning would take a list for several loaders."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._batches = list(batches)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._batches)


class Resident(ClipDataModule):
    """A data module whose batches are in memory, with every hook between loader and network.

    Args:
        batches: Of an epoch of training, as `collate` makes them.
        evaluated: Of the validation; none by default.
        settings: Of `ClipDataModule`.
    """

    def __init__(self, batches: Sequence[Batch], *, evaluated: Sequence[Batch] = (), **settings: Any) -> None:
        here = Path(__file__)  # a file that is there, as a manifest asks for; nobody reads it
        row = {"recording_id": "r", "subject_id": "s", "session_id": "1", "path": here.name}
        manifest = manifest_from_table(pd.DataFrame([row]), root=here.parent, name="resident", probe=False)
        super().__init__(manifest=manifest, split=None, **settings)
        self._batches, self._evaluated = _Epoch(batches), _Epoch(evaluated)

    def setup(self, stage: str | None = None) -> None:
        """There is nothing to check."""

    def train_dataloader(self) -> Iterable[Batch]:
        """The batches, in their order."""
        return self._batches

    def val_dataloader(self) -> Iterable[Batch]:
        """Those of the validation."""
        return self._evaluated


def resident(config: Mapping[str, Any], batches: Sequence[Batch], **given: Any) -> Resident:
    """The data module of a config, whose batches are these."""
    made: partial[Any] = build(config["data"]["module"], key="data.module")
    data = Resident(batches, **given, **made.keywords)
    if (learn := getattr(data._augment, "set_statistics", None)) is not None:
        learn(statistics(config))
    return data
