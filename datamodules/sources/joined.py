"""Several corpora joined into one manifest."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.manifests.columns import NUMBERS, PREFIXES, file_columns
from datamodules.manifests.manifest import Manifest, ManifestError, manifest_from_table, relocate
from datamodules.schema import UNKNOWN


def read(
    *, manifests: Sequence[Manifest], name: str = "joined", mixed_preprocessing: bool = False
) -> Manifest:
    """Put manifests below each other; the column `corpus` tells them apart, by name where they lack it.

    A recording id that several corpora use becomes `<corpus>/<id>` in each. A subject id with a family, such
    as `daic:300`, is the same person in every corpus; one without becomes `<corpus>:<id>`, because nothing
    says that `12` is the same person elsewhere. Paths are relative to the folder that all corpora share.

    Args:
        manifests: Two or more.
        name: Of the joined manifest.
        mixed_preprocessing: Whether they may be of several kinds of preprocessing.

    Raises:
        ManifestError: Fewer than two manifests, two of one name and no column `corpus`, several kinds of
            preprocessing, or faults of the joined table.
    """
    if len(manifests) < 2:
        raise ManifestError(f"{name}: joins two or more manifests, not {len(manifests)}")
    bare = [manifest.name for manifest in manifests if "corpus" not in manifest.table]
    if twice := sorted({one for one in bare if bare.count(one) > 1}):
        raise ManifestError(f"{name}: two tables are named {twice[0]!r}; give them a column 'corpus'")
    root = Path(os.path.commonpath([manifest.root.resolve() for manifest in manifests]))
    uses = Counter(recording for manifest in manifests for recording in set(manifest.table["recording_id"]))
    shared = {recording for recording, count in uses.items() if count > 1}
    table = pd.concat([_rows(manifest, root, shared) for manifest in manifests], ignore_index=True)
    for column in table.columns:
        number = column in NUMBERS or str(column).startswith(PREFIXES)
        table[column] = table[column].fillna(np.nan if number else "")
    joined = manifest_from_table(
        table, root=root, name=name, probe=False, mixed_preprocessing=mixed_preprocessing
    )
    made_up = [manifest.name for manifest in manifests if manifest.synthetic]
    mixed = len(made_up) < len(manifests)
    return replace(
        joined,
        truth=None,
        synthetic=bool(made_up),
        errata=tuple(erratum for manifest in manifests for erratum in manifest.errata),
        notes=(
            *(f"{one}: synthetic, beside others that are not" for one in made_up if mixed),
            *(f"{manifest.name}: {note}" for manifest in manifests for note in manifest.notes),
        ),
    )


def _rows(manifest: Manifest, root: Path, shared: set[str]) -> pd.DataFrame:
    table = manifest.table.copy()
    corpus = [own or manifest.name for own in table.get("corpus", [""] * len(table))]
    table["corpus"] = corpus
    table["recording_id"] = [
        f"{own}/{recording}" if recording in shared else recording
        for own, recording in zip(corpus, table["recording_id"], strict=True)
    ]
    table["subject_id"] = [
        person if person == UNKNOWN or ":" in person else f"{own}:{person}"
        for own, person in zip(corpus, table["subject_id"], strict=True)
    ]
    for column in file_columns(table):
        table[column] = [relocate(value, manifest.root.resolve(), root) for value in table[column]]
    return table
