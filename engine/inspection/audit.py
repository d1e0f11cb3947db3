"""The audit of a test split (`audit.json`, `audit.html`): identity, shortcuts, subgroups and sampling."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.checks.image_quality import measure_pictures
from datamodules.clips.statistics import training_statistics
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.item_answers import item_answers, item_columns, item_statistics
from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.checkpoints.checkpoint import RunCheckpoint
from engine.config.build import build
from engine.inference.clip_predictions import ClipPredictions, part_of
from engine.inference.recordings import ELSEWHERE, Predict, recording_features, rows_of, targets
from engine.inference.results import Assessment
from engine.runs.provenance import write_json
from evaluation.audit.coverage import coverage
from evaluation.audit.depression_probe import probe_depression
from evaluation.audit.identity_probe import deal_visits, probe_identity
from evaluation.audit.nuisance import audit_nuisance
from evaluation.audit.sampling import sampling_audit
from evaluation.audit.slices import slices
from evaluation.report.audit_page import write_audit
from evaluation.uncertainty.bootstrap import Resampling
from evaluation.uncertainty.label_permutation import permute_labels
from evaluation.uncertainty.scale_limits import cut_to_scale

_log = logging.getLogger(__name__)
_NO_FEATURES = "this network gives no features"
_TOLERANCE = 1e-4  # relative, of statistics; other platforms sum in another order


def audit(
    found: Assessment,
    clips: ClipPredictions,
    manifest: Manifest,
    split: Split,
    *,
    predict: Predict,
    config: Mapping[str, Any],
    folder: Path,
    notes: Sequence[str] = (),
    groups: Mapping[str, Any],
    record: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Probe and audit a test split, write `audit.json` and `audit.html`, and return what was found.

    Args:
        found: What the evaluation found on the test split.
        clips: Predicted clips of the test split.
        manifest: The manifest that was evaluated.
        split: Its split; without training recordings, what needs them has a reason instead of numbers.
        predict: Predicts the test part of a split with the checkpoint.
        config: Resolved config of the run: `evaluation` and `experiment_name` are read.
        folder: Where the files go.
        notes: Warnings below the title of the page.
        groups: Of `by_group`.
        record: Content of the evaluation's `manifest.json`.
    """
    resampling = Resampling.of(config)
    facts = targets(manifest)
    sides = (rows_of(facts, ids) for ids in (split.train, split.test))
    elsewhere = {"reason": ELSEWHERE}
    test, seed = found.test, resampling.seed
    probes: dict[str, Callable[[], Any]] = {
        "identity": lambda: _identity(clips, manifest, predict, seed),
        "depression": lambda: _depression(clips, manifest, split, predict) if split.train else elsewhere,
        "nuisance": lambda: audit_nuisance(test, _with_pictures(facts, manifest, test), resampling),
        "labels": lambda: permute_labels(test, seed=seed),
        "sampling": lambda: {"columns": sampling_audit(*sides, seed=seed)} if split.train else elsewhere,
        "slices": lambda: groups,
        "coverage": lambda: coverage(test),
    }
    content = {}
    for number, (name, probe) in enumerate(probes.items(), 1):
        _log.info("audit %d of %d: %s", number, len(probes), name)
        content[name] = probe()
    write_json(folder / "audit.json", content)
    title = config["experiment_name"]
    write_audit(folder / "audit.html", audit=content, title=title, notes=notes, record=record)
    return content


def by_group(found: Assessment, manifest: Manifest, *, span: float) -> dict[str, Any]:
    """Results by sex, age, site and the like, see `evaluation.audit.slices`.

    Args:
        found: What the evaluation found on the test split.
        manifest: The manifest that was evaluated.
        span: Points of the questionnaire, beyond which no interval of an error goes.
    """
    groups = cut_to_scale(slices(found.test, targets(manifest), threshold=found.threshold.value), span)
    if "discrepancy" in found.metrics:  # strata of answers were fitted and measured there
        groups["discrepancy"] = found.metrics["discrepancy"]
    return groups


def predicted_apart(
    ids: pd.DataFrame, halves: NDArray[np.int64], manifest: Manifest, predict: Predict
) -> ClipPredictions:
    """Predict each half of the visits as if the others did not exist, so that no context joins two halves.

    Args:
        ids: `recording_id` of the recordings.
        halves: number of the half of each.
        manifest: where they are.
        predict: as in `audit`.
    """
    parts = []
    for half in np.unique(halves):
        names = tuple(ids["recording_id"][halves == half])
        table = manifest.table[manifest.table["recording_id"].isin(set(names))].reset_index(drop=True)
        part = Split(name=f"half {half}", train=(), val=(), test=names)
        parts.append(predict(replace(manifest, table=table), part))
    return ClipPredictions(
        table=pd.concat([part.table for part in parts], ignore_index=True),
        attention=(),
        features={name: np.concatenate([p.features[name] for p in parts]) for name in parts[0].features},
    )


def _identity(clips: ClipPredictions, manifest: Manifest, predict: Predict, seed: int) -> dict[str, Any]:
    if not clips.features:
        return {"reason": _NO_FEATURES}
    ids, _ = recording_features(clips)
    halves = deal_visits(ids, seed=seed)
    apart = predicted_apart(ids, halves, manifest, predict)
    probed, features = recording_features(apart)  # in the order of `ids`: both are sorted by recording
    named = set(ids["recording_id"][halves >= 0])
    known = apart.table[apart.table["recording_id"].isin(named)].get("context_available")
    share = 0.0 if known is None or known.empty else float(known.mean())
    return probe_identity(features, probed, halves) | {"with_context": share}


def _depression(clips: ClipPredictions, manifest: Manifest, split: Split, predict: Predict) -> dict[str, Any]:
    if not clips.features:
        return {"reason": _NO_FEATURES}
    facts = targets(manifest)
    train, train_features = recording_features(predict(manifest, part_of(split, "train")))
    test, features = recording_features(clips)
    return probe_depression(train_features, _labeled(train, facts), features, _labeled(test, facts))


def _with_pictures(facts: pd.DataFrame, manifest: Manifest, test: pd.DataFrame) -> pd.DataFrame:
    """The facts with borders and blur of the tested videos; what the manifest states is not overwritten."""
    found = measure_pictures(manifest, test["recording_id"].tolist()).set_index("recording_id")
    if found.empty:
        return facts
    missing = [name for name in found if name not in facts]
    return facts.join(found[missing], on="recording_id")


def _labeled(ids: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Ids with `score_target` and `binary_target` where the manifest has them."""
    rows = facts.set_index("recording_id").loc[ids["recording_id"]]
    heads = [head for head in ("score", "binary") if head in rows]
    return ids.assign(**{f"{head}_target": rows[head].to_numpy(dtype=np.float64) for head in heads})


def check_fitted(checkpoint: RunCheckpoint, manifest: Manifest) -> None:
    """Fit the statistics again on the training recordings and compare them with those of the checkpoint.

    Scaling that has seen validation or test persons is leakage of the second kind of Kapoor & Narayanan
    (2023): preprocessing on training and test set.

    Args:
        checkpoint: Of the run.
        manifest: The manifest of the run, whole.

    Raises:
        LeakageError: A statistic is not that of the training recordings; names them with both values.
    """
    module, ids = checkpoint.config["data"]["module"], checkpoint.split["train"]
    source = build(module["source"], key="data.module.source")
    recordings = manifest.recordings(ids)
    expected = training_statistics(recordings, source.prepared(recordings))
    answers = manifest.table.iloc[manifest.rows(ids)]
    expected |= item_statistics(item_answers(answers, item_columns(module.get("items"))))
    faults = [
        f"{name}: stored {_some(value)}, training recordings {_some(expected.get(name))}"
        for name, value in checkpoint.statistics.items()
        if name not in expected or not np.allclose(value, expected[name], rtol=_TOLERANCE, atol=_TOLERANCE)
    ]
    if faults:
        raise LeakageError(
            f"{checkpoint.path}: statistics that were not fitted on the training recordings alone:\n"
            + "\n".join(f"  - {fault}" for fault in faults)
        )


def _some(value: object) -> str:
    return "nothing" if value is None else np.array2string(np.asarray(value).ravel()[:3], precision=4)
