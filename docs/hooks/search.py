"""The search reads what a page says, and not the source below a docstring: quicker to build."""

import re
from typing import Any

from mkdocs.plugins import event_priority
from mkdocs.structure.pages import Page

_SOURCE = re.compile(r'<details class="mkdocstrings-source">.*?</details>', flags=re.DOTALL)
_HELD = re.compile(r"<!-- source (\d+) -->")


@event_priority(100)  # before the search looks
def on_page_context(context: dict[str, Any], page: Page, **_: Any) -> dict[str, Any]:
    """Hold the sources of a page back."""
    page.content, page.meta["sources"] = without_source(page.content or "")
    return context


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Put them where they were."""
    return with_source(output, page.meta.pop("sources"))


def without_source(html: str) -> tuple[str, list[str]]:
    """Return a page with a mark in the place of every source, and the sources."""
    sources = _SOURCE.findall(html)
    numbers = iter(range(len(sources)))
    return _SOURCE.sub(lambda _: f"<!-- source {next(numbers)} -->", html), sources


def with_source(html: str, sources: list[str]) -> str:
    """Return the page as it was."""
    return _HELD.sub(lambda mark: sources[int(mark.group(1))], html)
