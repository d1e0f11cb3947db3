"""Test results by symptom stratum: persons who answer like others of their total, and persons who do not."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from biomarkers.symptoms.discrepancy_strata import HIGH, LOW, discrepancy_strata
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.questionnaires import ItemError, subscale
from datamodules.splits.partition import Split
from engine.inference.recordings import ELSEWHERE
from evaluation.audit.slices import slices
from evaluation.report.page import Section

COLUMN = "discrepancy"


def discrepancy_facts(manifest: Manifest, splits: Sequence[Split]) -> pd.DataFrame:
    """`recording_id` and stratum of the tested recordings of all folds, a column of facts like sex or age.

    Each stratum is fitted on the training part of the fold. Training recordings that a filter left out are
    fitted on too, so that the strata are the same with and without it. Items are read for this and for
    nothing else: nobody is removed.

    Raises:
        ItemError: The recordings are not on one scale, or its items are not in the manifest.
        ValueError: The answers of a training part cannot be compared.
    """
    table = manifest.table
    scales = sorted(set(table["scale"]) - {""}) if "scale" in table else []
    if len(scales) != 1:
        raise ItemError("the recordings are not on one scale")
    if not splits[0].train:
        raise ItemError(ELSEWHERE)
    items = subscale(scales[0]).within(table).answers(table).set_axis(table["recording_id"], axis=0)
    strata = [
        discrepancy_strata(
            items.loc[[*split.train, *split.left_out]].dropna(), items.loc[list(split.test)], scale=scales[0]
        )
        for split in splits
    ]
    return pd.concat(strata).rename(COLUMN).rename_axis("recording_id").reset_index()


def by_discrepancy(
    test: pd.DataFrame, manifest: Manifest, splits: Sequence[Split], *, threshold: float | None
) -> dict[str, Any]:
    """The entry `discrepancy` of `metrics.json`; no entry where nobody's answers to single items are known.

    It holds the metrics of the strata with intervals over persons as in `evaluation.audit.slices`, or the
    `reason` why the answers give none.

    Args:
        test: Recording table of the test split, of all folds.
        manifest: The recordings.
        splits: The folds, whose training parts the strata are fitted on.
        threshold: Decision threshold chosen on validation.
    """
    if not any(str(name).startswith("item_") for name in manifest.table):
        return {}
    try:
        facts = discrepancy_facts(manifest, splits)
    except ValueError as fault:
        return {COLUMN: {"reason": str(fault)}}
    return {COLUMN: slices(test, facts, threshold=threshold)[COLUMN]}


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
    try:
        facts = discrepancy_facts(manifest, splits)
    except ValueError:
        return []
    if not facts["recording_id"].is_unique:  # in repeats a recording has several strata
        return []
    rows: list[tuple[Any, ...]] = []
    for name, table in predictions.items():
        known = table[table["binary_target"].notna()].reset_index(drop=True)
        found = slices(known, facts, threshold=None)[COLUMN]
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
