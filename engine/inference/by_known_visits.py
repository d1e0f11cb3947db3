"""Test results by how many earlier visits with known scores stood behind a prediction."""

from typing import Any

import pandas as pd

from evaluation.audit.slices import slices
from evaluation.tables.predictions import KNOWN_VISITS
from evaluation.tables.predictions import measured as with_prediction


def by_known_visits(test: pd.DataFrame, *, threshold: float | None) -> dict[str, Any]:
    """The entry `known_visits` of `metrics.json`; no entry where the protocol makes no visit known.

    It holds, for every number of visits, how many predictions and persons there are, and their metrics with
    intervals over persons as in `evaluation.audit.slices`, where there are enough persons.

    Args:
        test: Recording table of the test split, of all folds.
        threshold: Decision threshold chosen on validation.
    """
    if KNOWN_VISITS not in test:
        return {}
    rows = with_prediction(test)
    numbers = rows[KNOWN_VISITS].astype(int)
    facts = rows[["recording_id"]].assign(**{KNOWN_VISITS: numbers.astype(str)})
    found = slices(rows, facts, threshold=threshold, columns=(KNOWN_VISITS,))[KNOWN_VISITS]
    if numbers.nunique() == 1:  # nothing to compare: the metrics are those of all
        persons = int(rows["subject_id"].nunique())
        only = {"group": str(numbers.iloc[0]), "recordings": len(rows), "persons": persons}
        return {KNOWN_VISITS: {"groups": [only | {"reason": "these are all predictions"}]}}
    return {KNOWN_VISITS: {"groups": sorted(found["groups"], key=lambda group: int(group["group"]))}}
