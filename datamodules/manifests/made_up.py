"""The mark that generators leave in a folder of made-up data, so that no page takes them for patients."""

from collections.abc import Iterable
from pathlib import Path

MARK = "SYNTHETIC.txt"
_TEXT = "Persons, labels and recordings in this folder are made up: no result on them holds for patients.\n"
_LEVELS = 4  # folders above a file that are looked at: deeper than any generator writes


def mark(folder: Path) -> None:
    """Mark a folder and all that lies below it as made up."""
    (folder / MARK).write_text(_TEXT, encoding="utf-8")


def is_made_up(root: Path, files: Iterable[Path]) -> bool:
    """Whether a table's folder, or one of those above its files, is marked.

    Args:
        root: Folder of the table.
        files: Recordings that it names, absolute.
    """
    folders = {root, *(above for parent in {file.parent for file in files} for above in _above(parent))}
    return any((folder / MARK).is_file() for folder in folders)


def truth_of(root: Path) -> Path | None:
    """The truth that lies beside the table of a made-up cohort; a `truth.csv` of somebody's own is none.

    Args:
        root: Folder of the table.
    """
    truth = root / "truth.csv"
    return truth if (root / MARK).is_file() and truth.is_file() else None


def _above(folder: Path) -> list[Path]:
    return [folder, *list(folder.parents)[: _LEVELS - 1]]
