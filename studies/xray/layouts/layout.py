"""A layout of a data set on disk, and a tree that was written in it."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.manifests.made_up import mark

Named = Callable[[pd.DataFrame], pd.DataFrame]
Change = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a cast becomes files.

    Args:
        name: Of the layout.
        fps: Rows per second of its series.
        scale: Questionnaire behind the labels.
        source: Corpus whose reader reads it; None where there is a `manifest.csv`.
        draw: A cast, with a column `name` for what its files and ids are made of.
        named: The cast with `recording_id` and `file` (relative to the root) as the reader will have them.
        write: Writes a named cast to a folder; content follows from the seed and the columns of a row alone.
    """

    name: str
    fps: float
    scale: str
    source: str | None
    draw: Callable[[np.random.Generator], pd.DataFrame]
    named: Named
    write: Callable[[pd.DataFrame, Path, int], None]

    def words(self, root: Path) -> list[str]:
        """How `datamodules.checks.validate` is told to read a tree."""
        if self.source is None:
            return [f"manifest={root / 'manifest.csv'}"]
        return [f"source={self.source}", f"root={root}"]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Files of a layout below a folder, and the cast that is in them, in the order of the table."""

    layout: Layout
    root: Path
    cast: pd.DataFrame
    seed: int


def grown(layout: Layout, root: Path, seed: int, change: Change | None = None) -> Tree:
    """Write a tree to a new folder: a clean one, or one whose cast was changed before.

    Args:
        layout: Its layout.
        root: A folder that is not there.
        seed: Of the cast and of all content.
        change: Of the cast; files of recordings that it leaves alone stay the same byte for byte.
    """
    root.mkdir(parents=True)
    own = zlib.crc32(layout.name.encode())  # layouts of one seed have nothing in common
    cast = layout.draw(np.random.default_rng([seed, 0, own]))
    if change is not None:
        cast = change(cast, np.random.default_rng([seed, 9]))
    cast = layout.named(cast.reset_index(drop=True))
    layout.write(cast, root, seed)
    mark(root)
    return Tree(layout=layout, root=root, cast=cast, seed=seed)
