"""Sections of a report on data, as text for a screen and as a page."""

from collections.abc import Sequence
from pathlib import Path

import jinja2

from datamodules.checks.describe import Section

SHOWN = 24  # rows of a list on the screen; the page has them all


def as_text(title: str, sections: list[Section]) -> str:
    """The report for a screen: columns padded, long lists cut."""
    lines = [title]
    for section in sections:
        lines += ["", section.title]
        cut = len(section.rows) - SHOWN
        shown = section.rows[:SHOWN] if cut > 0 else section.rows
        lines += (
            [f"  {line}" for line in _columns(section.header, shown)] if shown else [f"  {section.empty}"]
        )
        if cut > 0:
            lines.append(f"  and {cut} more")
        if section.remark:
            lines.append(f"  ({section.remark})")
    return "\n".join(lines) + "\n"


def _columns(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    table = [header, *rows] if any(header) else list(rows)
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def as_page(title: str, sections: list[Section]) -> str:
    """The report as a page that needs nothing else: errors and alarms first, then what describes the data."""
    urgent = [section for section in sections if section.urgency and section.rows]
    urgent.sort(key=lambda section: -section.urgency)
    others = [section for section in sections if section not in urgent]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    page: str = environment.get_template("validate.html").render(title=title, urgent=urgent, others=others)
    return page
