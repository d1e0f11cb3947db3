"""Facts of the metadata: of names, folder, file size, date and manifest row, without opening the file."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datamodules.schema import natural_key

STATED = {
    "n_frames": "length in rows",
    "duration_s": "length in seconds",
    "fps": "frame rate",
    "width": "width",
    "height": "height",
}
PLACES = ("site", "corpus", "task", "device", "camera")
IDS = {"recording_id": "recording id", "subject_id": "person id", "session_id": "visit id"}
_NUMBERS = 3  # of the numbers in a name, the first ones


def metadata_facts(table: pd.DataFrame, *, root: Path, column: str) -> pd.DataFrame:
    """Facts about the files (N, G): numbers, or texts for categories.

    Args:
        table: Manifest rows.
        root: Folder the paths start at.
        column: Of the manifest, which names the files that are read.
    """
    facts: dict[str, Any] = {
        name: table[stated].to_numpy(dtype=np.float64) for stated, name in STATED.items() if stated in table
    }
    facts |= {place: table[place].to_numpy() for place in PLACES if place in table}
    facts["row of the table"] = np.arange(len(table), dtype=np.float64)
    if column in table:
        paths = [Path(text) for text in table[column]]
        facts["folder"] = [path.parent.as_posix() for path in paths]
        facts |= name_facts("file name", [path.name for path in paths])
        states = [_state(root / path) for path in paths]
        facts["size in bytes"] = [size for size, _ in states]
        facts["date of the file"] = [date for _, date in states]
    for ids, name in IDS.items():
        facts |= name_facts(name, table[ids].astype(str).tolist())
    return pd.DataFrame(facts, index=range(len(table)))


def name_facts(what: str, names: Sequence[str]) -> dict[str, Any]:
    """Words, length and place in the alphabet of names (N,), and their numbers; `what` they are called."""
    numbers = np.full((len(names), _NUMBERS), np.nan)
    for row, name in enumerate(names):
        own = re.findall(r"\d+", name)[:_NUMBERS]
        numbers[row, : len(own)] = [float(text) for text in own]
    places = {name: place for place, name in enumerate(sorted(set(names), key=natural_key))}
    facts: dict[str, Any] = {
        f"words of the {what}": [re.sub(r"\d+", "#", name) for name in names],
        f"length of the {what}": [float(len(name)) for name in names],
        f"order of the {what}": [float(places[name]) for name in names],
    }
    return facts | {
        f"number {place + 1} in the {what}": numbers[:, place]
        for place in range(_NUMBERS)
        if np.isfinite(numbers[:, place]).any()
    }


def _state(file: Path) -> tuple[float, float]:
    """Size and time of the last change; NaN without a file."""
    if not file.is_file():
        return np.nan, np.nan
    status = file.stat()
    return float(status.st_size), status.st_mtime
