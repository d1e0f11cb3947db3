"""Check your table or a download: `python -m datamodules.checks.validate manifest=<csv>` or `source= root=`.

It prints what is in the data, what was corrected, and what a training would warn of or stop at; nothing is
trained, and no GPU is needed. The exit status is 1 where a file cannot be read or is damaged, the folder is
not the corpus or a training would stop, and 2 for a command line that is not understood.
"""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from datamodules import sources
from datamodules.checks.damage import damage_section, damaged_videos
from datamodules.checks.describe import Section, overview, shared_persons, unreadable
from datamodules.checks.pages import SHOWN, as_page, as_text
from datamodules.checks.rehearsal import (
    as_section,
    collected_warnings,
    next_command,
    obstacles,
    only_sets,
    uncropped,
)
from datamodules.command_line import UsageError, run
from datamodules.commands import typed
from datamodules.manifests.manifest import Manifest, ManifestError, read_manifest
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.shared.registry import corpora, corpus
from datamodules.wording import nearest


def main(
    *,
    manifest: Path | None = None,
    source: str | None = None,
    root: Path | None = None,
    against: str | None = None,
    decode: bool = False,
    xray: bool = False,
    json: Path | None = None,
    html: Path | None = None,
    **options: str | bool,
) -> int:
    """Read the data, write the report and return the exit status.

    Args:
        manifest: A CSV or Parquet table of recordings, one row each, as `data=manifest data.path=` reads it.
        source: A corpus instead, such as avec2014, daic_woz, edaic, or folder for videos with a labels.csv.
        root: The folder that the corpus was unpacked to.
        against: Count the persons that another corpus shares with it, as in against=edaic:<folder>.
        decode: Decode every video from start to end, once, and list those that are damaged.
        xray: Look into every array, and for what tells the label: see docs/guide/xray.md.
        json: Write what the x-ray found as JSON too.
        html: Write the report as a page too.
        options: Of the source, such as label_rule=published; probe=false opens no file.
    """
    if root is not None:
        options["root"] = str(root)
    if json is not None and not xray:
        raise UsageError("json= holds what an x-ray found; give xray=true too")

    look = partial(_xray, manifest=manifest, source=source, root=root, options=options, file=json, asked=xray)
    title = f"{source} in {root}" if source else str(manifest)
    try:
        with collected_warnings() as warned:
            found = read_data(manifest, source, options)
            sections = overview(found)
            if against is not None:
                sections.append(shared_persons(found, other(against)))
            damaged = damaged_videos(found) if decode else []
            sections += [damage_section(damaged)] if decode else []
            stops = obstacles(found, probe=bool(options.get("probe", True))) if manifest is not None else []
            warned += filter(None, [uncropped(found)])
    except (SourceError, ManifestError) as fault:
        sys.stderr.write(f"{fault}\n")
        seen = look(None, str(fault))
        if seen or html is not None:
            _write(title, [as_section("What was refused", [str(fault)], urgency=2), *seen], html)
        return 1
    sections.append(as_section("Warnings", warned, urgency=1))
    if manifest is not None:
        sections.append(as_section("What would stop a training", stops, urgency=2))
    sections += look(found)
    _write(f"{source} in {found.root}" if source else title, sections, html)
    return _outcome(found, damaged, stops, manifest=manifest, source=source, root=root)


def _xray(
    found: Manifest | None,
    refused: str = "",
    *,
    manifest: Path | None,
    source: str | None,
    root: Path | None,
    options: Mapping[str, str | bool],
    file: Path | None,
    asked: bool,
) -> list[Section]:
    """Sections of an x-ray, where one is asked for: also of what was refused, for whatever reason."""
    if not asked:
        return []
    from engine.xray.command import xray_sections  # the one arrow upward: docs/decisions/0042

    reread = partial(read_data, manifest, source, {**options, "probe": False})
    return xray_sections(found, manifest=manifest, root=root, reread=reread, refused=refused, file=file)


def _outcome(
    found: Manifest,
    damaged: Sequence[object],
    stops: Sequence[str],
    *,
    manifest: Path | None,
    source: str | None,
    root: Path | None,
) -> int:
    """Say what is wrong and what to try next; the exit status."""
    if broken := unreadable(found.table):
        sys.stderr.write(f"{len(broken)} file(s) cannot be read: {', '.join(broken[:SHOWN])}\n")
    if stops:
        sys.stderr.write(f"{len(stops)} problem(s) would stop a training: see the last section\n")
    faulty = bool(broken or damaged or stops)
    raw = manifest or (root if source == "folder" else None)
    if raw is not None and uncropped(found) and not faulty:
        sys.stdout.write(f"\nNext: {typed('preprocess')} input={raw} output=faces\n")
    elif manifest is not None and not stops:
        sys.stdout.write(f"\nNext: {next_command(found, manifest)}\n")
    elif source is not None and root is not None and not faulty:
        network = "experiment=feature_sets " if only_sets(found) else ""
        sys.stdout.write(f"\nNext: {typed('train')} {network}data={source} data.root={root} debug=fast\n")
    return int(faulty)


def read_data(manifest: Path | None, source: str | None, options: Mapping[str, str | bool]) -> Manifest:
    """The table, or the corpus with its options.

    Raises:
        UsageError: Both or neither is given, or an option that the source lacks.
        SourceError: Unknown source, or a folder that is not the corpus.
        ManifestError: The table has faults.
    """
    if (manifest is None) == (source is None):
        known = ", ".join(corpora(sources, "read"))
        raise UsageError(f"give manifest=<csv>, or source=<corpus> root=<folder> (corpora: {known})")
    if manifest is not None:
        options = {"path": str(manifest), **options}
    read: Callable[..., Manifest] = read_manifest if source is None else corpus(sources, source, "read")
    return read(**_known(options, read))


def _known(options: Mapping[str, object], read: Callable[..., Manifest]) -> dict[str, object]:
    """The options, where `read` has them all and lacks none.

    Raises:
        UsageError: Names the unknown or the missing one.
    """
    known = inspect.signature(read).parameters
    for key in [key for key in options if key not in known]:
        raise UsageError(f"unknown option '{key}'{nearest(key, known)} (known: {', '.join(known)})")
    for key, parameter in known.items():
        if parameter.default is parameter.empty and key not in options:
            raise UsageError(f"'{key}=' is missing")
    return dict(options)


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


def _write(title: str, sections: list[Section], html: Path | None) -> None:
    sys.stdout.write(as_text(title, sections))
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(as_page(title, sections), encoding="utf-8")
        sys.stdout.write(f"\nPage: {html}\n")


if __name__ == "__main__":
    raise SystemExit(run(main))
