"""Results of a run: metrics of its predicted clips, and the baselines reported beside them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from datamodules.clips.measured import Coverage
from datamodules.manifests.manifest import Manifest
from datamodules.splits.protocols import Split
from engine.inference.strata import discrepancy_facts, discrepancy_slices
from evaluation.baselines.baselines import reference_lines
from evaluation.baselines.oracle import oracle_lines
from evaluation.summary import metrics_json, summarize
from evaluation.tables.aggregate import to_recordings
from evaluation.uncertainty.prediction_intervals import add_intervals
from evaluation.uncertainty.threshold import Threshold, choose_threshold

_ELSEWHERE = "the training recordings are not part of this manifest"


@dataclass(frozen=True)
class Assessment:
    """Results of a run.

    Attributes:
        test: Recording table of the test split, with intervals `low`, `high`.
        val: Recording table of validation; None where the checkpoint meets a manifest that is not its own.
        threshold: Chosen on validation.
        metrics: Content of `metrics.json`.
        unmeasured: Recordings of both that hold no measurement, see `unmeasured_table`: in no metric.
    """

    test: pd.DataFrame
    val: pd.DataFrame | None
    threshold: Threshold
    metrics: dict[str, Any]
    unmeasured: pd.DataFrame | None = None


def assess(
    config: Mapping[str, Any],
    manifest: Manifest,
    split: Split,
    *,
    test: pd.DataFrame,
    val: pd.DataFrame | None,
    calibration: pd.DataFrame,
    unmeasured: pd.DataFrame | None = None,
) -> Assessment:
    """Compute the metrics of a test table and those of the baselines.

    Args:
        config: Resolved config of the run: `data.scale` is read.
        manifest: The manifest the recordings belong to.
        split: Whose training recordings the reference lines learn from; without any there are no lines.
        test: Recording table of the test split.
        val: Recording table of the validation split, if it belongs to this manifest.
        calibration: Recording table of the run's validation split: chooses the threshold and the intervals.
        unmeasured: Recordings of both that hold no measurement: listed and counted, in no metric of any line.
    """
    scale = config["data"]["scale"]
    threshold = choose_threshold(calibration)
    test = add_intervals(test, calibration, low=scale["low"], high=scale["high"])
    lines: dict[str, Any] = dict.fromkeys(("constant", "identity", "nuisance", "oracle"))
    lines["reasons"] = dict.fromkeys(lines, _ELSEWHERE)
    if split.train:
        lines = _lines(manifest, split, test, threshold.value)
    metrics = metrics_json(
        test=summarize(test, threshold=threshold.value),
        val=None if val is None else summarize(val, threshold=threshold.value),
        **lines,
    )
    metrics["threshold"] = threshold.as_dict()
    metrics["discrepancy"] = {"reason": _ELSEWHERE}
    if split.train:
        facts, reason = discrepancy_facts(manifest, split)
        metrics["discrepancy"] = discrepancy_slices(test, facts, reason, threshold=threshold.value)
    if unmeasured is not None and len(unmeasured):
        list_unmeasured(metrics, unmeasured)
    return Assessment(test=test, val=val, threshold=threshold, metrics=metrics, unmeasured=unmeasured)


def recordings_of(
    clips: pd.DataFrame, manifest: Manifest, *, split: str, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Recording table of predicted clips, with the targets of the manifest."""
    table = to_recordings(clips, targets(manifest), split=split, aggregate=config["evaluation"]["aggregate"])
    if "context_available" in clips:
        known = clips.groupby("recording_id")["context_available"].all()
        table["context_available"] = known.loc[table["recording_id"]].to_numpy()
    return table


def unmeasured_table(
    found: Mapping[str, Mapping[str, Coverage]], manifest: Manifest, heads: Sequence[str]
) -> pd.DataFrame:
    """Rows for `predictions.csv` of recordings that hold no measurement: targets, and no prediction.

    Args:
        found: Split -> recording -> what it holds.
        manifest: Whose labels are the targets.
        heads: Heads of the network.

    Returns:
        Recording table with `valid_share`, the share of valid frames, and `unmeasured`, the reason.
    """
    known = targets(manifest).set_index("recording_id")
    rows = [
        {"recording_id": name, **known.loc[name, ["subject_id", "session_id"]].to_dict(), "split": split}
        | {f"{head}_target": known.loc[name].get(head, np.nan) for head in heads}
        | {f"{head}_prediction": np.nan for head in heads}
        | {"valid_share": coverage.share, "unmeasured": coverage.reason}
        for split, recordings in found.items()
        for name, coverage in sorted(recordings.items())
    ]
    return pd.DataFrame(rows)


def list_unmeasured(metrics: dict[str, Any], unmeasured: pd.DataFrame) -> None:
    """Count and list recordings without a measurement in what becomes `metrics.json`."""
    for split, count in Counter(unmeasured["split"].tolist()).items():
        if metrics.get(split):
            metrics[split]["counts"]["unmeasured"] = count
    columns = ["recording_id", "split", "valid_share", "unmeasured"]
    metrics["unmeasured"] = unmeasured[columns].rename(columns={"unmeasured": "reason"}).to_dict("records")


def targets(manifest: Manifest) -> pd.DataFrame:
    """The manifest's table with the severity band of each recording."""
    bands = {recording.recording_id: recording.band for recording in manifest.recordings()}
    band = pd.array([bands[name] for name in manifest.table["recording_id"]], dtype="Float64")
    return manifest.table.assign(band=band.to_numpy(dtype="float64", na_value=float("nan")))


def _lines(manifest: Manifest, split: Split, test: pd.DataFrame, threshold: float | None) -> dict[str, Any]:
    table = targets(manifest)
    tested = tuple(test["recording_id"])  # every line on what the model was measured on
    train, val, rows = (_rows(table, ids) for ids in (split.train, split.val, tested))
    lines = reference_lines(train, val, rows, test, threshold=threshold)
    lines["oracle"] = None
    if manifest.truth is None:
        lines["reasons"]["oracle"] = "the truth behind these recordings is not known"
    else:
        lines["oracle"] = oracle_lines(pd.read_csv(manifest.truth), table, split.train, tested)
    return lines


def _rows(table: pd.DataFrame, ids: Sequence[str]) -> pd.DataFrame:
    return table[table["recording_id"].isin(set(ids))].reset_index(drop=True)
