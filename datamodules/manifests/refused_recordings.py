"""Recordings that `preprocess.py` refused: they are in no manifest, so that pages on the others name them."""

import csv
from pathlib import Path

import pandas as pd

from datamodules.manifests.preprocessing import FILE, BadPreprocessing, cache_folders, maker
from datamodules.wording import first_few

_REFUSED, _USED = "refused.csv", "manifest.csv"


def refused_notes(table: pd.DataFrame, root: Path) -> tuple[str, ...]:
    """What was refused in the caches that a table takes its recordings from, a sentence each.

    Args:
        table: With `path` and `series_path` relative to `root`, or absolute.
        root: Folder of the table.

    Raises:
        BadPreprocessing: A list of refused recordings is damaged.
    """
    caches = [folder for folder in cache_folders(table, root) if (folder / FILE).is_file()]
    notes = []
    for folder in caches:
        if names := _ids(folder / _REFUSED):
            of = len(names) + len(_ids(folder / _USED))
            place = _REFUSED if len(caches) == 1 else f"{folder.name}/{_REFUSED}"
            were = "recording of the input was" if of == 1 else "recordings of the input were"
            notes.append(
                f"{len(names)} of {of} {were} refused in preprocessing and are in no part ({place}): "
                f"{first_few(names)}."
            )
    return tuple(notes)


def _ids(path: Path) -> list[str]:
    """The ids of a table of a cache; none where there is no such table."""
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [row["recording_id"] for row in csv.DictReader(file)]
    except (csv.Error, KeyError, UnicodeDecodeError) as fault:
        raise BadPreprocessing(
            f"{path}: is not what {maker(path.parent)} writes ({fault}). Give its command once more"
        ) from fault
