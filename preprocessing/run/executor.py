"""What executors are told and what they answer; all of them run the same function of one recording."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from preprocessing.cache.entry import Entry
from preprocessing.run.job import Job

Work = Callable[[Job], Entry | None]
ATTEMPTS = 2
"""How often a recording may cost a worker its life before it is given up."""


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A recording that has no entry: its worker died, or the program failed at it.

    Attributes:
        reason: in a sentence.
        trace: of a fault of the program; empty where the worker died.
    """

    reason: str
    trace: str = ""


Answer = tuple[Job, Entry | Lost | None]


class Executor(Protocol):
    """Runs a function over recordings, each in a process that may die without harm to the others."""

    def run(self, work: Work, jobs: Sequence[Job]) -> Generator[Answer]:
        """Yield every recording with what became of it, in the order in which they end.

        Args:
            work: The function; it is picklable.
            jobs: The recordings.

        Raises:
            OSError: The cache cannot be written: for the other recordings it could not be either.
        """
        ...


def lost_worker(how: str) -> Lost:
    """The answer where a recording has cost several workers their lives."""
    return Lost(
        reason=(
            f"its worker died {ATTEMPTS} times ({how}). If memory ran out, take fewer workers, or a machine "
            "with more"
        )
    )
