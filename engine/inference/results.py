"""Results of a run: metrics of its predicted clips, and the baselines reported beside them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from math import nan
from typing import Any

import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.inference.by_known_visits import by_known_visits
from engine.inference.lines import Lines, with_visits
from engine.inference.person_changes import changes_of, learned_change, restored
from engine.inference.recordings import ELSEWHERE, PredictedParts, cluster_of, rows_of, targets
from engine.inference.strata import by_discrepancy
from evaluation.baselines.earlier_scores import last_score, mean_score
from evaluation.baselines.oracle import WITH_SCORES, oracle_lines
from evaluation.baselines.reference_lines import reference_lines, told_heads
from evaluation.change.change_scores import Learned
from evaluation.metrics.head_ranking import ranked_by_heads
from evaluation.summary import LINES, metrics_json, summarize
from evaluation.uncertainty.prediction_intervals import add_intervals
from evaluation.uncertainty.scale_limits import cut_to_scale
from evaluation.uncertainty.threshold import Threshold, choose_threshold


@dataclass(frozen=True)
class Assessment:
    """Results of a run.

    Attributes:
        test: Recording table of the test split, with intervals `low`, `high`.
        val: Recording table of validation; None where the checkpoint meets a manifest that is not its own.
        threshold: Chosen on validation.
        metrics: Content of `metrics.json`.
        unmeasured: Recordings of both that hold no measurement, in no metric; mostly none.
        changes: Changes between visits of tested persons; empty where nobody can know them.
        taught: What validation taught about changes.
    """

    test: pd.DataFrame
    val: pd.DataFrame | None
    threshold: Threshold
    metrics: dict[str, Any]
    unmeasured: pd.DataFrame
    changes: pd.DataFrame = field(default_factory=pd.DataFrame)
    taught: Learned = field(default_factory=Learned)


def assess(
    config: Mapping[str, Any],
    manifest: Manifest,
    split: Split,
    predicted: PredictedParts,
    *,
    calibration: pd.DataFrame | None = None,
    change: Mapping[str, Any] | None = None,
) -> Assessment:
    """Compute the metrics of the test part and those of the baselines.

    Args:
        config: Resolved config of the run: `data.scale`, `evaluation.lines` and the source of the clips are
            read.
        manifest: The manifest the recordings belong to.
        split: Whose training recordings the reference lines learn from; without any there are no lines but
            the earlier scores, where the split makes some known.
        predicted: The test part, and the validation part if it belongs to this manifest. Recordings that hold
            no measurement are listed and counted, in no metric of any line.
        calibration: Recording table that chooses the threshold and the intervals where the validation part
            is not predicted: that of the run.
        change: What the run's validation taught about changes between visits, as its checkpoint keeps it.
    """
    val = predicted.recordings.get("val")
    learned = predicted.recordings["val"] if calibration is None else calibration
    scale = config["data"]["scale"]
    threshold = choose_threshold(learned)
    test = add_intervals(predicted.recordings["test"], learned, low=scale["low"], high=scale["high"])
    lines: dict[str, Any] = {"reasons": dict.fromkeys(LINES, ELSEWHERE)}
    if split.train:
        lines = _lines(config, manifest, split, test, val, threshold.value)
    elif split.known is not None:
        facts = targets(manifest, cluster_of(config))
        found = _earlier_lines(facts, split, test, learned, threshold.value)
        lines = found | {"reasons": lines["reasons"] | found["reasons"]}
    metrics = metrics_json(
        test=summarize([test], [threshold.value]),
        val=None if val is None else summarize([val], [threshold.value]),
        reference=lines,
    )
    metrics["threshold"] = threshold.as_dict()
    metrics["ranked_by_heads"] = ranked_by_heads(learned)
    metrics |= by_discrepancy(test, manifest, [split], threshold=threshold.value)
    metrics |= by_known_visits(test, threshold=threshold.value)
    taught = restored(change or {}) if val is None else learned_change(val, manifest)
    changes, metrics["change"] = changes_of(test, manifest, taught)
    metrics = cut_to_scale(metrics, scale["high"] - scale["low"])
    list_unmeasured(metrics, predicted.unmeasured)
    return Assessment(test, val, threshold, metrics, predicted.unmeasured, changes, taught)


def list_unmeasured(metrics: dict[str, Any], unmeasured: pd.DataFrame) -> None:
    """Count and list recordings without a measurement, if any, in what becomes `metrics.json`."""
    if unmeasured.empty:
        return
    for split, count in Counter(unmeasured["split"].tolist()).items():
        if metrics.get(split):
            metrics[split]["counts"]["unmeasured"] = count
    columns = ["recording_id", "split", "valid_share", "unmeasured"]
    metrics["unmeasured"] = unmeasured[columns].rename(columns={"unmeasured": "reason"}).to_dict("records")


def _lines(
    config: Mapping[str, Any],
    manifest: Manifest,
    split: Split,
    test: pd.DataFrame,
    val: pd.DataFrame | None,
    threshold: float | None,
) -> dict[str, Any]:
    table = targets(manifest, cluster_of(config))
    # every line on what the model was measured on
    tested, chosen = (() if part is None else tuple(part["recording_id"]) for part in (test, val))
    train, judged, rows = (rows_of(table, ids) for ids in (split.train, chosen, tested))
    own = Lines(config, manifest).of(split, {*tested, *chosen}, heads=told_heads(train, test))
    given: Any = {"threshold": threshold, "further": own.further, "families": own.families}
    lines = reference_lines(train, judged, rows, test, **given)
    if manifest.truth is None:
        lines["reasons"]["oracle"] = "the truth behind these recordings is not known"
        return lines | {"oracle": None}
    truth = pd.read_csv(manifest.truth)
    oracles = oracle_lines(truth, table, split.train, tested, known=split.known or "all")
    if split.known is None:
        oracles = {name: line for name, line in oracles.items() if name not in WITH_SCORES}
    return lines | {"oracle": oracles}


def _earlier_lines(
    facts: pd.DataFrame, split: Split, test: pd.DataFrame, learned: pd.DataFrame, threshold: float | None
) -> dict[str, Any]:
    """Lines of what the persons of another manifest scored before: they need no training recordings.

    The score is answered alone, as nobody teaches what share of such persons is depressed: it ranks them, and
    has no probabilities and no decisions. Who has no earlier score gets the mean of the run's validation.
    """
    table = with_visits(facts, split)
    mean = float(learned["score_target"].mean()) if "score_target" in learned else nan
    further = [partial(line, table, mean=mean) for line in (last_score, mean_score)]
    rows = rows_of(table, test["recording_id"])
    given: Any = {"threshold": threshold, "simple": (), "further": further, "heads": ("score",)}
    return reference_lines(rows[:0], None, rows, test, **given)
