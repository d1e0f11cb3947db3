"""The folder in which a downloaded corpus begins, and what of it is left out."""

import os
from collections.abc import Sequence
from pathlib import Path

from datamodules.sources.shared.download import is_hidden
from datamodules.sources.shared.draft import Draft, SourceError, existing_folder
from datamodules.wording import first_few

_SHOWN = 5  # names in one erratum: enough to find the fault


def open_corpus(root: str | Path, *, name: str, marks: Sequence[str]) -> Draft:
    """Start a draft at the folder that holds one of the marks: `root` or a folder in it.

    Programs that unpack archives like to make a folder of the archive's name inside the one they were given;
    where the corpus lies in exactly one such folder it is read there, and the draft says so.

    Args:
        root: Folder the corpus was unpacked to.
        name: Name of the manifest.
        marks: Files or folders of which every copy of the corpus holds one.

    Raises:
        SourceError: No such folder, no mark in it, or marks in several folders below it.
    """
    folder = existing_folder(root)
    if _holds(folder, marks):
        return Draft(name=name, root=folder)
    nested = [inner for inner in visible(folder, "*") if inner.is_dir() and _holds(inner, marks)]
    if not nested:
        raise SourceError(
            f"{folder}: no {' or '.join(marks)} here or one folder below; unpack it there, or correct root"
        )
    if len(nested) > 1:
        raise SourceError(
            f"{folder}: {name} lies in several folders ({first_few([inner.name for inner in nested])}); "
            "give one of them as root"
        )
    draft = Draft(name=name, root=nested[0])
    draft.correct("nested_folder", nested[0].name, "read as the folder of the corpus")
    return draft


def table_below(root: Path, place: str | Path, *, option: str) -> Path:
    """Where a table lies that an option names, from the folder of the corpus on.

    What a checkpoint names is opened below the folder of the corpus only, so that a table must be there too.

    Args:
        root: Folder of the corpus.
        place: Relative to it, or absolute and below it.
        option: Its name, for the message.

    Raises:
        SourceError: It is elsewhere.
    """
    path = Path(os.path.normpath(root / place))
    if not path.is_relative_to(root):
        raise SourceError(
            f"{option}={place}: not in the folder of the corpus, {root}; copy or link the table there"
        )
    return path


def visible(folder: Path, pattern: str) -> list[Path]:
    """Sorted paths below a folder that match a pattern, without hidden files and hidden folders."""
    return [path for path in sorted(folder.glob(pattern)) if not is_hidden(path, folder)]


def leave_out(draft: Draft, rule: str, names: Sequence[str], why: str) -> None:
    """Note in one erratum what was left out; nothing is noted where nothing was."""
    if names:
        count = f"{len(names)}: " if len(names) > 1 else ""
        draft.correct(rule, count + first_few(names, shown=_SHOWN), f"left out: {why}")


def _holds(folder: Path, marks: Sequence[str]) -> bool:
    return any((folder / mark).exists() for mark in marks)
