"""Nothing of a page comes from the net: what would be fetched is a warning, which stops a strict build."""

import logging
import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

_LOG = logging.getLogger("mkdocs.hooks.offline")
_FETCHED = re.compile(
    r"<(?:script|link|img|iframe|source|video|audio|embed|object)\b[^>]*?"
    r"""\b(?:src|srcset|href|data|poster)\s*=\s*["']?((?:https?:)?//[^"'\s>]+)""",
    flags=re.IGNORECASE,
)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Warn of every address that a browser would fetch to show a page."""
    for address in fetched(output):
        _LOG.warning("%s fetches %s: keep a copy in docs/", page.file.src_uri, address)
    return output


def fetched(html: str) -> list[str]:
    """Return the addresses on the net of scripts, styles, pictures and frames; plain links are none."""
    return _FETCHED.findall(html)
