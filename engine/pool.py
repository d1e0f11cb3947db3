"""Out-of-fold predictions of all folds as one result."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from datamodules.manifest import Manifest
from datamodules.splits import Split
from engine.assess import Assessment, targets
from evaluation.bootstrap import paired_difference
from evaluation.measures import HEADS
from evaluation.references import constant, identity, nuisance
from evaluation.summary import metrics_json, summarize
from evaluation.threshold import Threshold

_PER_FOLD = "each fold chooses its own threshold on its own validation part; decisions are in fold_<k>/"


def pool(
    config: Mapping[str, Any], manifest: Manifest, splits: Sequence[Split], tables: Sequence[pd.DataFrame]
) -> Assessment:
    """Pool the folds' test predictions and their reference lines.

    Every line is predicted fold by fold from that fold's training recordings, as the model was, and pooled
    the same way. Decisions are not pooled: the folds' thresholds differ.

    Args:
        config: Resolved config of the run.
        manifest: The recordings.
        splits: The folds.
        tables: `predictions.csv` of each fold.

    Raises:
        ValueError: A recording was tested in no fold or in several.
    """
    test = pd.concat([table[table["split"] == "test"] for table in tables], ignore_index=True)
    _check_once(test, splits)
    boot = {name: config["evaluation"][name] for name in ("n_boot", "seed")}
    lines, reasons = _lines(manifest, splits, test, boot)
    reasons["oracle"] = (
        "computed fold by fold, see fold_<k>/metrics.json" if manifest.truth else "the truth is not known"
    )
    metrics = metrics_json(
        test=summarize(test, threshold=None, **boot), val=None, oracle=None, reasons=reasons, **lines
    )
    threshold = Threshold(value=None, column=None, split="val", recordings=0, reason=_PER_FOLD)
    metrics["threshold"] = threshold.as_dict()
    metrics["folds"] = _spread(test, tables, boot)
    return Assessment(test=test, val=None, threshold=threshold, metrics=metrics)


def _check_once(test: pd.DataFrame, splits: Sequence[Split]) -> None:
    expected = sorted(name for split in splits for name in split.test)
    if sorted(test["recording_id"]) != expected:
        odd = sorted(set(expected) ^ set(test["recording_id"])) or expected
        raise ValueError(
            f"the folds do not test each recording once, e.g. {odd[:5]}: delete the folds and train again"
        )


def _lines(
    manifest: Manifest, splits: Sequence[Split], test: pd.DataFrame, boot: Mapping[str, int]
) -> tuple[dict[str, Any], dict[str, str]]:
    table = targets(manifest)
    heads = tuple(h for h in HEADS if h in table and table[h].notna().any() and f"{h}_prediction" in test)
    summaries: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for line in (constant, identity, nuisance):
        folds = [line(_rows(table, fold.train), _rows(table, fold.test), heads=heads) for fold in splits]
        name = folds[0].name
        parts = [fold.predictions for fold in folds if fold.predictions is not None]
        if len(parts) < len(folds):
            summaries[name] = None
            reasons[name] = next(fold.reason or "" for fold in folds if fold.predictions is None)
            continue
        pooled = pd.concat(parts, ignore_index=True)
        summaries[name] = summarize(pooled, threshold=None, **boot)
        summaries[name]["difference"] = paired_difference(test, pooled, **boot)
    return summaries, reasons


def _spread(test: pd.DataFrame, tables: Sequence[pd.DataFrame], boot: Mapping[str, int]) -> dict[str, Any]:
    """Mean and standard deviation over folds of every metric that all folds define."""
    del test
    folds = [summarize(table[table["split"] == "test"], threshold=None, **boot) for table in tables]
    spread = {}
    for name, estimate in folds[0].items():
        if isinstance(estimate, dict) and "value" in estimate:
            values = [fold.get(name, {}).get("value") for fold in folds]
            if all(value is not None for value in values):
                spread[name] = {
                    "mean": float(np.mean(values)),
                    "sd": float(np.std(values, ddof=1)),
                    "values": values,
                }
    return spread


def _rows(table: pd.DataFrame, ids: Sequence[str]) -> pd.DataFrame:
    return table[table["recording_id"].isin(set(ids))].reset_index(drop=True)
