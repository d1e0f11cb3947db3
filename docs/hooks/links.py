"""Links that work on GitHub and on the site.

Pages link to files beside `docs/`. README.md and the like become pages of the site; a Python file leads to
its module in the API reference; other files, for which the site has no page, become plain code.
"""

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
BESIDE_DOCS = {  # file of the repository -> page of the site
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "docker/README.md": "docker.md",
}
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s#]+)(#[^()\s]*)?\)")
_FENCE = re.compile(r"(^ *```.*?^ *```[^\n]*$)", flags=re.DOTALL | re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made of files beside `docs/`."""
    for source, page in BESIDE_DOCS.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite what GitHub reads otherwise than the site."""
    pages = {site: source for source, site in BESIDE_DOCS.items()}
    uri = page.file.src_uri
    source = pages.get(uri, f"docs/{uri}")
    modules = config.extra["modules"]
    parts = _FENCE.split(markdown)
    parts[::2] = [_bars_of_tables(rewrite(part, source, uri, modules)) for part in parts[::2]]
    return "".join(parts)


def rewrite(markdown: str, source: str, uri: str, modules: frozenset[str]) -> str:
    """Return a page with its links as the site needs them.

    Args:
        markdown: text without code blocks.
        source: path of the page in the repository.
        uri: path of the page in `docs/`, as mkdocs knows it.
        modules: dotted names of the modules in the API reference.
    """

    def replaced(match: re.Match[str]) -> str:
        image, text, target, anchor = match.group(1), match.group(2), match.group(3), match.group(4) or ""
        if re.match(r"[a-z]+:|/", target):
            return match.group(0)
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        module = re.sub(r"(/__init__)?\.py$", "", path).replace("/", ".")
        page = _page_of(path)
        if page is not None:
            return f"{image}[{text}]({posixpath.relpath(page, posixpath.dirname(uri) or '.')}{anchor})"
        if module in modules:
            return f"[{text}][{_object_in(path, text) or module}]"
        if os.path.lexists(ROOT / path):
            return text if re.search(r"[` ]", text) else f"`{text}`"
        return match.group(0)  # mkdocs says that it leads nowhere

    return _LINK.sub(replaced, markdown)


def _object_in(path: str, text: str) -> str | None:
    """Return the dotted name of what a link is called after, where its file defines it."""
    name, file = text.strip("`"), ROOT / path
    if not (name.isidentifier() and file.is_file()):
        return None
    defined = re.search(rf"^(class |def )?{name}\b", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return path.removesuffix(".py").replace("/", ".") + f".{name}" if defined else None


def _page_of(path: str) -> str | None:
    """Return the path in `docs/` of a file or folder of the repository; None where the site has none."""
    if path in BESIDE_DOCS:
        return BESIDE_DOCS[path]
    if not path.startswith("docs/"):
        return None
    if (ROOT / path).is_dir():
        path += "/README.md"
    return path.removeprefix("docs/").replace(".ipynb", ".md")


def _bars_of_tables(markdown: str) -> str:
    r"""GitHub wants `\|` for a bar in the code of a table, Python-Markdown the bar alone."""
    lines = markdown.split("\n")
    for number, line in enumerate(lines):
        if line.startswith("|"):
            lines[number] = re.sub(r"`[^`]*`", lambda code: code.group(0).replace("\\|", "|"), line)
    return "\n".join(lines)
