"""Writer of a self-contained HTML page of sections, from the templates."""

from collections.abc import Sequence
from pathlib import Path

import jinja2

from evaluation.report.headline import number
from evaluation.report.section import Section

__all__ = ["Section", "environment", "write_page"]

_TEMPLATES = Path(__file__).with_name("templates")


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
