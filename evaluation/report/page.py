"""A self-contained HTML page of sections: text, plots, a table, remarks."""

from collections.abc import Sequence
from pathlib import Path

from evaluation.report.report import environment
from evaluation.report.section import Section

__all__ = ["Section", "write_page"]


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
