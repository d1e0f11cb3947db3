"""Manifest transform that permutes the labels between persons, as a negative control.

Nothing can be learned from such a manifest. A run on it whose test metrics are better than chance has found a
leak, in the data or in the code.
"""

from dataclasses import replace

import numpy as np

from datamodules.manifests.identity import person_keys
from datamodules.manifests.manifest import Manifest, ManifestError
from datamodules.schema import UNKNOWN, natural_key

_LABELS = ("scale", "score", "binary")
_ITEMS = "item_"


def permuted(*, manifest: Manifest, seed: int) -> Manifest:
    """Move labels from person to person, all of a person together and visit by visit.

    Labels are scale, score, binary and items. They move among persons with the same number of recordings,
    because a person's labels belong together; who is alone with a number keeps the own labels, which the note
    counts. Files, ids, technical columns and the truth behind a synthetic cohort stay where they are.

    Use it around another manifest in a config: `data=permuted_series`, or
    `data.manifest={_target_: datamodules.manifests.transforms.permuted.permuted, seed: 0, manifest: {...}}`.

    Args:
        manifest: whose labels move.
        seed: of the permutation.

    Raises:
        ManifestError: No labels can move: there are none, or no two persons have equally many recordings.
    """
    table = manifest.table
    names = [str(name) for name in table if name in _LABELS or str(name).startswith(_ITEMS)]
    donor, fixed = _donors(manifest, seed=seed)
    if not names or fixed == len(table):
        raise ManifestError(
            f"{manifest}: no labels to permute between persons: found columns {names or 'none'} and "
            f"{fixed} of {len(table)} recordings whose person is unknown or alone with a number of recordings"
        )
    moved = table.assign(**{name: table[name].to_numpy()[donor] for name in names})
    note = (
        f"negative control: {', '.join(names)} were permuted between persons (seed {seed}); "
        f"{fixed} of {len(table)} recordings could not take part and keep their labels"
    )
    return replace(manifest, table=moved, name=f"{manifest.name}_permuted", notes=(*manifest.notes, note))


def _donors(manifest: Manifest, *, seed: int) -> tuple[np.ndarray, int]:
    """Row whose labels each row receives, int64 (N,), and how many rows cannot exchange theirs."""
    table = manifest.table
    keys = person_keys(table)
    sessions = table["session_id"].tolist()
    persons: dict[str, list[int]] = {}
    for row in sorted(range(len(table)), key=lambda row: (keys[row], natural_key(sessions[row]), row)):
        if table["subject_id"].iloc[row] != UNKNOWN:
            persons.setdefault(keys[row], []).append(row)
    rng = np.random.default_rng(seed)
    donor = np.arange(len(table))
    fixed = int((table["subject_id"] == UNKNOWN).sum())
    for size in sorted({len(rows) for rows in persons.values()}):
        block = np.array([rows for rows in persons.values() if len(rows) == size])
        fixed += size if len(block) == 1 else 0
        donor[block] = block[rng.permutation(len(block))]
    return donor, fixed
