"""Test results by symptom stratum: persons who answer like others of their total, and persons who do not."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from biomarkers.symptoms.discrepancy_strata import HIGH, LOW, discrepancy_strata
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.questionnaires import ItemError, subscale
from datamodules.splits.protocols import Split
from evaluation.audit.slices import slices
from evaluation.report.page import Section

COLUMN = "discrepancy"


def discrepancy_facts(manifest: Manifest, split: Split) -> tuple[pd.DataFrame, str | None]:
    """`recording_id` and stratum of the tested recordings, fitted on the training part, or why there is none.

    Training recordings that a filter left out are fitted on too, so that the strata are the same with and
    without it. Items are read for this and for nothing else: nobody is removed.
    """
    facts = pd.DataFrame({"recording_id": list(split.test), COLUMN: ""})
    table = manifest.table
    scales = sorted(set(table["scale"]) - {""}) if "scale" in table else []
    if len(scales) != 1:
        return facts, "the recordings are not on one scale"
    try:
        form = subscale(scales[0]).within(table)
        items = form.answers(table).set_axis(table["recording_id"], axis=0)
        known = items.loc[[*split.train, *split.left_out]].dropna()
        strata = discrepancy_strata(known, items.loc[facts["recording_id"].tolist()], scale=scales[0])
    except (ItemError, ValueError) as fault:
        return facts, str(fault)
    return facts.assign(**{COLUMN: strata.to_numpy()}), None


def facts_of_folds(manifest: Manifest, splits: Sequence[Split]) -> tuple[pd.DataFrame, str | None]:
    """`discrepancy_facts` of all folds below each other: each stratum is that of the fold's training part."""
    told = [discrepancy_facts(manifest, split) for split in splits]
    reason = next((why for _, why in told if why is not None), None)
    return pd.concat([facts for facts, _ in told], ignore_index=True), reason


def strata_sections(
    predictions: Mapping[str, pd.DataFrame],
    whole: Mapping[str, Any],
    manifest: Manifest,
    splits: Sequence[Split],
) -> list[Section]:
    """AUC of estimators by stratum for the page of an analysis; nothing where there are no items.

    Args:
        predictions: Estimator -> recording table of all folds.
        whole: Estimator -> AUC of everybody tested, with its interval.
        manifest: The recordings.
        splits: The folds.
    """
    facts, reason = facts_of_folds(manifest, splits)
    if reason is not None or len(facts) > facts["recording_id"].nunique():
        return []
    rows: list[tuple[Any, ...]] = []
    for name, table in predictions.items():
        known = table[table["binary_target"].notna()].reset_index(drop=True)
        found = discrepancy_slices(known, facts, None, threshold=None)
        groups = {group["group"]: group for group in found.get("groups", ())}
        cells = (groups.get(stratum, {}) for stratum in (LOW, HIGH))
        rows.append((name, whole[name], *(cell.get("auc") or cell.get("reason", "none") for cell in cells)))
    text = (
        "Tested recordings whose answers lie near to, or far from, the mean answers of the same severity, by "
        "the median of the training part of each fold. Nobody was removed. Strata differ in more than "
        "agreement: within a band, answers near the mean are mostly those of its commonest totals, so that a "
        "difference between strata is not yet one that heterogeneity makes."
    )
    columns = ("Estimator", "AUC, all", "AUC, low discrepancy", "AUC, high discrepancy")
    return [Section("discrepancy", "By symptom discrepancy", text, columns=columns, rows=rows)]


def discrepancy_slices(
    test: pd.DataFrame, facts: pd.DataFrame, reason: str | None, *, threshold: float | None
) -> dict[str, Any]:
    """Metrics of the strata with intervals over persons as in `evaluation.audit.slices`, or a `reason`.

    Args:
        test: Recording table of the test split.
        facts: From `discrepancy_facts`.
        reason: Why there are no strata.
        threshold: Decision threshold chosen on validation.
    """
    if reason is not None:
        return {"reason": reason}
    found: dict[str, Any] = slices(test, facts, threshold=threshold)
    return dict(found[COLUMN])
