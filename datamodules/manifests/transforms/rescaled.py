"""Manifest transform that takes the label from another questionnaire: scores are totals of its items."""

from dataclasses import replace

import numpy as np

from datamodules.manifests.manifest import Manifest, ManifestError
from datamodules.manifests.questionnaires import Missing, subscale


def rescaled(*, manifest: Manifest, scale: str, missing: Missing = "refuse") -> Manifest:
    """Set scale, score and binary of every recording from the items of a questionnaire.

    A recording without any answer has no label; the note counts them. Items stay as they are. A config puts
    it around another manifest, beside the `data.scale` of the same name; see conf/data/synthetic_dass.yaml.

    Args:
        manifest: Its items are read. Eight items of a PHQ-9 serve for a PHQ-8.
        scale: Name of a scale in `datamodules.manifests.scales.SCALES`.
        missing: What an incomplete questionnaire becomes, see `datamodules.manifests.questionnaires.Missing`.

    Raises:
        ItemError: Items are missing or out of their range.
        ManifestError: Nobody has a total.
        ValueError: No such scale or rule.
    """
    items = subscale(scale).within(manifest.table)
    answered = items.answers(manifest.table).notna().any(axis=1)
    totals = items.total(manifest.table[answered], missing=missing).reindex(manifest.table.index)
    if totals.isna().all():
        raise ManifestError(f"{manifest}: no recording has the items of {scale}, hence no labels")
    binary = [np.nan if np.isnan(total) else float(items.scale.binary(total)) for total in totals]
    table = manifest.table.assign(scale=scale, score=totals, binary=binary)
    note = f"labels are totals of the items of {scale}; {int(totals.isna().sum())} recordings have none"
    return replace(
        manifest,
        table=table,
        name=f"{manifest.name}_{scale.lower().replace('-', '_')}",
        notes=(*manifest.notes, note),
    )
