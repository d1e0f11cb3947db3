"""What a tool that follows runs is told, and when: the contract of `engine.tracking`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

Summary = Mapping[str, float | int | str]
"""The numbers of a run: `test/auc`, the ends of its interval, and the epoch that was chosen."""

End = Literal["finished", "failed", "interrupted"]
"""How a run ended."""


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What is known as a run begins, free of paths and ids.

    Attributes:
        name: The experiment, with the fold, the seed or the trial.
        kind: `run`, `fold`, `crossval` (the pooled folds), `seed` or `trial`.
        group: Common to the folds of a run, or to the jobs of a sweep; None of a run by itself.
        config: See `public_config`, with code, packages and hardware under `run`.
    """

    name: str
    kind: str
    group: str | None
    config: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Results:
    """What is known as a run has been measured.

    Attributes:
        page: The report without faces, ids and single persons.
        figures: Pictures of the same, PNG.
        checkpoint: `best.ckpt`; None of pooled folds. It names the recordings of its split.
        persons: `predictions.csv` and the whole report, which name recordings and may show faces.
    """

    page: Path
    figures: tuple[Path, ...]
    checkpoint: Path | None
    persons: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class Followed:
    """Under which id a tool follows a run, and what to type, or where to look, to see it."""

    id: str
    look: str


@runtime_checkable
class Tracker(Protocol):
    """A logger of Lightning that is told more than metrics. Only the first rank calls it."""

    def begin(self, facts: RunFacts, *, earlier: str | None) -> Followed:
        """Begin a run, or go on with the one of the id `earlier`."""

    def conclude(self, results: Results) -> None:
        """Take in page and figures, where the run was measured."""

    def end(self, status: End, summary: Summary) -> None:
        """End the run with its numbers, as far as it came."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Take in values of a step, as Lightning has it."""
