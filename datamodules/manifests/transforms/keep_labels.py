"""Manifest transform that keeps some kinds of labels and drops the others."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from datamodules.manifests.manifest import Manifest

_COLUMNS = {"depression": ("score", "binary"), "traits": ("trait_",)}

Kind = Literal["depression", "traits"]


def keep_labels(*, manifest: Manifest, kinds: Sequence[Kind], corpus: str | None = None) -> Manifest:
    """The manifest without its other labels: a corpus of traits only, or of depression only.

    Items of questionnaires go with `depression`. What is left out is noted on the manifest.

    Args:
        manifest: The table.
        kinds: Labels to keep.
        corpus: What to call it beside others, in the column `corpus`.

    Raises:
        ValueError: A kind of label that does not exist.
    """
    if strangers := sorted(set(kinds) - set(_COLUMNS)):
        raise ValueError(f"kinds names {strangers[0]!r}; there are {', '.join(_COLUMNS)}")
    gone = [kind for kind in _COLUMNS if kind not in kinds]
    starts = tuple(start for kind in gone for start in _COLUMNS[kind])
    if "depression" in gone:
        starts += ("item_",)
    columns = [str(name) for name in manifest.table if starts and str(name).startswith(starts)]
    table = manifest.table.assign(**dict.fromkeys(columns, np.nan))
    if corpus is not None:
        table = table.assign(corpus=corpus)
    notes = tuple(f"labels of {kind} are left out on purpose" for kind in gone)
    return replace(manifest, table=table, notes=(*manifest.notes, *notes))
