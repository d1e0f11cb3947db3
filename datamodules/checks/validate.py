"""Check a download: `python -m datamodules.checks.validate source=avec2014 root=<folder> [key=value]`.

It reads the corpus, prints what is in it and what was corrected, and writes the same as a page;
`against=edaic:<folder>` counts the persons another corpus shares with it. `decode=true` decodes every video
from start to end, once, and lists those in which the decoder reports damage. The exit status is 1 where the
folder is not the corpus, a file cannot be read or is damaged, 2 for a command it does not know.
"""

import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import jinja2

from datamodules import sources
from datamodules.checks.damage import damage_section, damaged_videos
from datamodules.checks.describe import Section, overview, shared_persons, unreadable
from datamodules.manifests.manifest import Manifest, ManifestError
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.shared.registry import corpora, corpus
from datamodules.wording import nearest

_SHOWN = 24  # rows of a list on the screen; the page has them all
_WORDS = {"true": True, "false": False}


class UsageError(ValueError):
    """A command line that is not understood."""


def main(arguments: list[str]) -> int:
    """Read the corpus, write the report and return the exit status."""
    try:
        options = parse(arguments)
        html, against = options.pop("html", None), options.pop("against", None)
        decode = truth("decode", options.pop("decode", "false"))
        name = options.pop("source")
        read = corpus(sources, name, "read")
        manifest: Manifest = read(**typed(options, read))
        sections = overview(manifest)
        if against is not None:
            sections.append(shared_persons(manifest, other(against)))
        damaged = damaged_videos(manifest) if decode else []
        sections += [damage_section(damaged)] if decode else []
    except UsageError as fault:
        sys.stderr.write(f"{fault}\n{usage()}\n")
        return 2
    except (SourceError, ManifestError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    sys.stdout.write(as_text(f"{name} in {manifest.root}", sections))
    if html is not None:
        Path(html).parent.mkdir(parents=True, exist_ok=True)
        Path(html).write_text(as_page(f"{name} in {manifest.root}", sections), encoding="utf-8")
        sys.stdout.write(f"\nPage: {html}\n")
    broken = unreadable(manifest.table)
    if broken:
        sys.stderr.write(f"{len(broken)} file(s) cannot be read: {', '.join(broken[:_SHOWN])}\n")
    return 1 if broken or damaged else 0


def usage() -> str:
    """How the command is called, and the corpora it knows."""
    return (
        "usage: python -m datamodules.checks.validate source=<corpus> root=<folder> [key=value ...] "
        "[against=<corpus>:<folder>] [decode=true] [html=<file>]\n"
        f"corpora: {', '.join(corpora(sources, 'read'))}"
    )


def parse(arguments: list[str]) -> dict[str, str]:
    """Split `key=value`; `source` must be there.

    Raises:
        UsageError: A word without `=`, a key twice, or no source.
    """
    options: dict[str, str] = {}
    for word in arguments:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"{word!r} is not key=value")
        if key in options:
            raise UsageError(f"'{key}' is given twice")
        options[key] = value
    if "source" not in options:
        raise UsageError(f"'source=' is missing (given: {', '.join(options) or 'nothing'})")
    return options


def truth(key: str, word: str) -> bool:
    """Read true or false.

    Raises:
        UsageError: It is neither.
    """
    if word.lower() not in _WORDS:
        raise UsageError(f"'{key}={word}' is neither true nor false")
    return _WORDS[word.lower()]


def typed(options: dict[str, str], read: Callable[..., Manifest]) -> dict[str, object]:
    """The options as arguments of `read`; true and false are taken as such.

    Raises:
        UsageError: `read` has no such option, or lacks one that it needs.
    """
    known = inspect.signature(read).parameters
    for key in options:
        if key not in known:
            raise UsageError(f"unknown option '{key}'{nearest(key, known)} (known: {', '.join(known)})")
    for key, parameter in known.items():
        if parameter.default is parameter.empty and key not in options:
            raise UsageError(f"'{key}=' is missing")
    return {key: _WORDS.get(value.lower(), value) for key, value in options.items()}


def other(against: str) -> Manifest:
    """The corpus `<source>:<folder>` stands for; its files are not opened.

    Raises:
        UsageError: No colon in it.
        SourceError: Unknown source, or a folder that is not the corpus.
    """
    name, colon, root = against.partition(":")
    if not colon:
        raise UsageError(f"against={against!r} is not <source>:<folder>")
    manifest: Manifest = corpus(sources, name, "read")(root=root, probe=False)
    return manifest


def as_text(title: str, sections: list[Section]) -> str:
    """The report for a screen: columns padded, long lists cut."""
    lines = [title]
    for section in sections:
        lines += ["", section.title]
        cut = len(section.rows) - _SHOWN
        shown = section.rows[:_SHOWN] if cut > 0 else section.rows
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
    """The report as a page that needs nothing else."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    page: str = environment.get_template("validate.html").render(title=title, sections=sections)
    return page


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
