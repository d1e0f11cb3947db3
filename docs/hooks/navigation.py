"""Folders of the navigation: mkdocs.yml names a folder, its pages follow in the order of its index."""

import posixpath
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files


@event_priority(-100)
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Put every page of a folder into the navigation."""
    texts = {file.src_uri: file.content_string for file in files.documentation_pages()}
    config.nav = expand(config.nav or [], texts)
    return files


def expand(entries: Iterable[Any], texts: dict[str, str]) -> list[Any]:
    """Return the navigation with every folder replaced by its pages.

    Args:
        entries: as in mkdocs.yml; a path that ends in "/" is a folder.
        texts: path of every page in `docs/` -> its Markdown.
    """
    found: list[Any] = []
    for entry in entries:
        if isinstance(entry, dict):
            for title, below in entry.items():
                inner = expand([below] if isinstance(below, str) else below, texts)
                single = isinstance(below, str) and not below.endswith("/")
                if inner:
                    found.append({title: inner[0] if single else inner})
        elif entry.endswith("/"):
            found += _folder(entry, texts)
        else:
            found.append(entry)
    return found


def _folder(folder: str, texts: dict[str, str]) -> list[Any]:
    """Return the pages of a folder: its README.md, then what the nearest index links to, in its order."""
    index = f"{folder}README.md"
    inside = {uri for uri in texts if uri.startswith(folder) and uri != index}
    pages = {uri for uri in inside if "/" not in uri.removeprefix(folder)}
    folders = {folder + uri.removeprefix(folder).partition("/")[0] + "/" for uri in inside - pages}
    above = [
        f"{parent}/README.md" for parent in PurePosixPath(folder).parents if f"{parent}/README.md" in texts
    ]
    ordering = next(iter([index] if index in texts else above), "README.md")
    order = _links(ordering, texts.get(ordering, ""))
    rank = {uri: number for number, uri in reversed(list(enumerate(order)))}

    def place(uri: str) -> tuple[int, str]:
        below = [number for other, number in rank.items() if other.startswith(uri)]
        return min(below, default=len(rank)), uri

    entries: list[Any] = [index] if index in texts else []
    for uri in sorted(pages | folders, key=place):
        below = _folder(uri, texts) if uri.endswith("/") else [uri]
        leaf = len(below) == 1 and isinstance(below[0], str)
        entries.append({uri.split("/")[-2]: below[0] if leaf else below} if uri.endswith("/") else uri)
    return entries


def _links(uri: str, text: str) -> list[str]:
    targets = re.findall(r"\]\(([^()\s#:]+)", text)
    return [posixpath.normpath(posixpath.join(posixpath.dirname(uri), target)) for target in targets]
