"""A section of a page: text, plots, a table, remarks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Section:
    """A section of a page: heading, text, plots, a table of texts and estimates, and remarks.

    A cell is a text, or an estimate `{"value", "low", "high"}`.
    """

    key: str
    title: str
    text: str
    plot: str | None = None
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    remarks: Sequence[str] = field(default_factory=tuple)
    plots: Sequence[str | None] = field(default_factory=tuple)

    @property
    def figures(self) -> list[str]:
        """All plots that exist."""
        return [plot for plot in (self.plot, *self.plots) if plot]
