"""Writer of a self-contained HTML page of sections, from the templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from evaluation.report.headline import number
from evaluation.report.local_paths import shortened
from evaluation.report.run_facts import SYNTHETIC, glance, page_title, trial

_LONG = 15  # rows of a table that is folded: our choice
_TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Section:
    """A section of a page: heading, text, plots, a table of texts and estimates, and remarks.

    A cell is a text, or an estimate `{"value", "low", "high"}`. The heading is the question that the plots
    answer; it begins their caption, which goes on with the text. `faces` is False where only answers to a
    questionnaire are described.
    """

    key: str
    title: str
    text: str
    plot: str | None = None
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    remarks: Sequence[str] = field(default_factory=tuple)
    plots: Sequence[str | None] = field(default_factory=tuple)
    faces: bool = True

    @property
    def folded(self) -> bool:
        """Whether its table is long and something else to look at is there, so that it opens on request."""
        return len(self.rows) > _LONG and (bool(self.figures) or not self.faces)

    @property
    def figures(self) -> list[str]:
        """All plots that exist."""
        return [plot for plot in (self.plot, *self.plots) if plot]


def environment(*folders: Path) -> jinja2.Environment:
    """Templates of this package, escaped, with the filter `number`; an undefined name is an error.

    Whatever text they show has its absolute paths shortened.

    Args:
        folders: Further templates, of another room's page.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_TEMPLATES, *folders]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_without_paths,
    )
    environment.filters["number"] = number
    return environment


def _without_paths(value: Any) -> Any:
    text = isinstance(value, str) and not isinstance(value, Markup) and not value.startswith("data:image/")
    return shortened(value) if text else value


def header(title: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """What every page shows first: title, facts at a glance, and banners for what is easily misread.

    Args:
        title: Of the page, without what the record adds to it.
        record: Content of the run's `manifest.json`; may be empty.
    """
    banners = [SYNTHETIC] if record.get("synthetic") else []
    if (why := trial(record)) is not None:
        banners.append(f"Trial run: {why}.")
    return {"title": page_title(title, record), "banners": banners, "facts": glance(record)}


def write_page(
    path: Path,
    *,
    title: str,
    subtitle: str,
    sections: Sequence[Section],
    limits: str,
    notes: Sequence[str] = (),
    about: Sequence[str] = (),
    record: Mapping[str, Any] | None = None,
) -> None:
    """Write the page.

    Args:
        path: file to write.
        title: of the page.
        subtitle: the line below it.
        sections: in their order.
        limits: what the page does not say; shown last.
        notes: warnings below the title.
        about: remarks that warn of nothing.
        record: content of the run's `manifest.json`, for the facts at a glance.
    """
    content = environment().get_template("page.html").render(
        **header(title, record or {}),
        subtitle=subtitle,
        notes=notes,
        about=about,
        sections=sections,
        limits=limits,
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
