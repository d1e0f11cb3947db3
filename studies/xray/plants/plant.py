"""What a planted defect is, and how it gets into a fresh copy of a clean tree."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from studies.xray.layouts.layout import Change, Layout, Tree, grown

OnDisk = Callable[[Tree, np.random.Generator], list[str]]
KINDS = (
    *("zero_bytes", "constant", "frozen", "repeated", "two_persons", "time_base"),
    *("site", "genre", "trait", "metadata", "file_name"),
)
STATISTICAL = KINDS[6:]


@dataclass(frozen=True, kw_only=True)
class Plant:
    """A defect of one kind: a change of the cast before files are written, or of files that are there.

    Args:
        kind: Of the alarm that must come.
        what: A sentence for the page.
        layout: Of the tree it is planted into.
        cast: Changes who is recorded where, or under which label or name.
        files: Changes files and returns their recordings and their paths, of which one must be named.
        named: Columns or facts of which one must be named, as patterns of file names; for changes of casts.
    """

    kind: str
    what: str
    layout: Layout
    cast: Change | None = None
    files: OnDisk | None = None
    named: tuple[str, ...] = ()


def planted(plant: Plant, root: Path, seed: int) -> tuple[Tree, list[str]]:
    """Write a tree with the defect, and return it with what must be named.

    Args:
        plant: The defect.
        root: A folder that is not there.
        seed: Of the clean tree, and of where in it the defect is.
    """
    tree = grown(plant.layout, root, seed, plant.cast)
    named = list(plant.named)
    if plant.files is not None:
        named += plant.files(tree, np.random.default_rng([seed, 10]))
    return tree, named


def chosen(cast: pd.DataFrame, rng: np.random.Generator, count: int) -> pd.DataFrame:
    """Some recordings of a cast, of different persons."""
    shuffled = cast.sample(frac=1, random_state=int(rng.integers(2**31)))
    return shuffled.drop_duplicates("person").head(count)


def names_of(rows: pd.DataFrame, *files: str) -> list[str]:
    """Ids of recordings and their files, those of `file` or of other columns."""
    return [*rows["recording_id"], *(file for column in files or ("file",) for file in rows[column])]
