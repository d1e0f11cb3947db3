"""Totals of questionnaires, computed from the items of the manifest."""

from collections.abc import Sequence

import pandas as pd

from analysis.step_data import Material
from datamodules.manifests.questionnaires import subscale


def scale_totals(material: Material, scales: Sequence[str]) -> pd.DataFrame:
    """`recording_id` and a total a scale, row by row of the manifest; NaN where an item is unanswered.

    Raises:
        ItemError: The manifest lacks the items of a scale, or holds answers that cannot be.
        ValueError: There are no items of that name.
    """
    table = material.manifest.table
    totals = {name: subscale(name).within(table).total(table, missing="unknown") for name in scales}
    return pd.DataFrame({"recording_id": table["recording_id"], **totals})
