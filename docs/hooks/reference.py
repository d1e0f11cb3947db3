"""The API reference: one page a package, from the docstrings, read without an import of the code."""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
PACKAGES = (
    *("models", "datamodules", "preprocessing", "biomarkers", "evaluation"),
    *("engine", "analysis"),
)
_ROOMS = "|".join(PACKAGES)
_NAME = re.compile(rf'(?<!">)<code>((?:{_ROOMS})(?:(?:\.\w+)+|(?:/\w+)+\.py))</code>')


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for every package."""
    modules: list[str] = []
    for package, names in packages(ROOT).items():
        uri = f"reference/{package.replace('.', '/')}/README.md"
        files.append(File.generated(config, uri, content=page_of(package, names)))
        modules += [package, *names]
    config.extra["modules"] = frozenset(modules)
    return files


def packages(root: Path) -> dict[str, list[str]]:
    """Return the dotted names of all packages, each with its public modules."""
    found = {}
    for top in PACKAGES:
        for file in sorted((root / top).rglob("__init__.py")):
            package = ".".join(file.parent.relative_to(root).parts)
            names = sorted(path.stem for path in file.parent.glob("*.py") if not path.stem.startswith("_"))
            found[package] = [f"{package}.{name}" for name in names]
    return found


def page_of(package: str, modules: list[str]) -> str:
    """Return the Markdown of a package: its docstring, then its modules."""
    heading = "heading_level: 1, members: false"
    sections = [f"---\ntitle: {package}\n---", f"::: {package}\n    options: {{{heading}}}"]
    return "\n\n".join([*sections, *(f"::: {module}" for module in modules)]) + "\n"


def on_page_content(content: str, **_: Any) -> str:
    """Lead names of modules and files, written as code in a page, to the reference."""

    def replaced(match: re.Match[str]) -> str:
        name = re.sub(r"(/__init__)?\.py$", "", match.group(1)).replace("/", ".")
        return f'<autoref identifier="{name}" optional><code>{match.group(1)}</code></autoref>'

    return _NAME.sub(replaced, content)
