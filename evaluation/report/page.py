"""Writer of a self-contained HTML page of sections, from the templates."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from evaluation.report.headline import number

_TEMPLATES = Path(__file__).with_name("templates")


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


def environment() -> jinja2.Environment:
    """Templates of this package, escaped, with the filter `number`; an undefined name is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    return environment


def write_page(
    path: Path,
    *,
    title: str,
    subtitle: str,
    sections: Sequence[Section],
    limits: str,
    notes: Sequence[str] = (),
) -> None:
    """Write the page.

    Args:
        path: file to write.
        title: of the page.
        subtitle: the line below it.
        sections: in their order.
        limits: what the page does not say; shown last.
        notes: remarks below the title.
    """
    page = environment().get_template("page.html")
    content = page.render(title=title, subtitle=subtitle, notes=notes, sections=sections, limits=limits)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
