"""The audit of a test split (`audit.json`, `audit.html`): identity, shortcuts, subgroups and sampling."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.checks.image_quality import measure_pictures
from datamodules.manifests.manifest import Manifest
from datamodules.schema import IDS
from datamodules.splits.protocols import Split
from engine.inference.predictions import ClipPredictions
from engine.inference.rebuild import part_of
from engine.inference.results import Assessment, targets
from engine.inference.strata import discrepancy_facts
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

_ELSEWHERE = "the training recordings are not part of this manifest"
_NO_FEATURES = "this network gives no features"

Predict = Callable[[Manifest, Split], ClipPredictions]


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
        notes: Remarks below the title of the page.
    """
    resampling = Resampling.of(config)
    facts = targets(manifest)
    answers, _ = discrepancy_facts(manifest, split)
    content = {
        "identity": _identity(clips, manifest, predict, resampling.seed),
        "depression": _depression(clips, manifest, split, predict),
        "nuisance": audit_nuisance(found.test, _with_pictures(facts, manifest, found.test), resampling),
        "labels": permute_labels(found.test, seed=resampling.seed),
        "sampling": _sampling(facts, split, seed=resampling.seed),
        "slices": slices(found.test, facts.merge(answers, how="left"), threshold=found.threshold.value),
        "coverage": coverage(found.test),
    }
    write_json(folder / "audit.json", content)
    write_audit(folder / "audit.html", audit=content, title=config["experiment_name"], notes=notes)
    return content


def by_recording(clips: ClipPredictions) -> tuple[pd.DataFrame, dict[str, NDArray[np.float64]]]:
    """Ids of the predicted recordings and their features (N,D), each the mean over the recording's clips."""
    groups = clips.table.groupby("recording_id", sort=True)
    ids = groups[["subject_id", "session_id"]].first().reset_index()[list(IDS)]
    place = groups.ngroup().to_numpy()
    count = np.bincount(place)[:, None]
    features = {}
    for name, values in clips.features.items():
        total = np.zeros((len(ids), values.shape[1]))
        np.add.at(total, place, values.astype(np.float64))
        features[name] = total / count
    return ids, features


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
    ids, _ = by_recording(clips)
    halves = deal_visits(ids, seed=seed)
    apart = predicted_apart(ids, halves, manifest, predict)
    probed, features = by_recording(apart)  # in the order of `ids`: both are sorted by recording
    named = set(ids["recording_id"][halves >= 0])
    known = apart.table[apart.table["recording_id"].isin(named)].get("context_available")
    share = 0.0 if known is None or known.empty else float(known.mean())
    return probe_identity(features, probed, halves) | {"with_context": share}


def _depression(clips: ClipPredictions, manifest: Manifest, split: Split, predict: Predict) -> dict[str, Any]:
    if not split.train:
        return {"reason": _ELSEWHERE}
    if not clips.features:
        return {"reason": _NO_FEATURES}
    facts = targets(manifest)
    train, train_features = by_recording(predict(manifest, part_of(split, "train")))
    test, features = by_recording(clips)
    return probe_depression(train_features, _labeled(train, facts), features, _labeled(test, facts))


def _sampling(facts: pd.DataFrame, split: Split, *, seed: int) -> dict[str, Any]:
    if not split.train:
        return {"reason": _ELSEWHERE}
    train, test = (facts[facts["recording_id"].isin(set(ids))] for ids in (split.train, split.test))
    return {"columns": sampling_audit(train, test, seed=seed)}


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
