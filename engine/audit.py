"""`audit.json` and `audit.html`: what the features give away, and for whom the model works."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifest import Manifest
from engine.assess import Assessment, targets
from engine.predictions import ClipPredictions
from engine.provenance import write_json
from evaluation.audit_page import write_audit
from evaluation.coverage import coverage
from evaluation.depression_probe import probe_depression
from evaluation.identity_probe import probe_identity
from evaluation.nuisance_audit import audit_nuisance
from evaluation.slices import slices

_ELSEWHERE = "the training recordings are not part of this manifest"
_NO_FEATURES = "this network gives no features"
_IDS = ("recording_id", "subject_id", "session_id")

Features = Mapping[str, NDArray[np.float64]]


def audit(
    found: Assessment,
    clips: ClipPredictions,
    train: ClipPredictions | None,
    manifest: Manifest,
    *,
    config: Mapping[str, Any],
    folder: Path,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Probe and audit a test split, write `audit.json` and `audit.html`, and return what was found.

    Args:
        found: What the evaluation found on the test split.
        clips: Predicted clips of the test split.
        train: Predicted clips of the training recordings; None where they are not part of the manifest.
        manifest: The manifest that was evaluated.
        config: Resolved config of the run: `evaluation` and `experiment_name` are read.
        folder: Where the files go.
        notes: Remarks below the title of the page.
    """
    boot: Any = {name: config["evaluation"][name] for name in ("n_boot", "seed")}
    facts = targets(manifest)
    content = {
        "identity": _identity(clips, boot),
        "depression": _depression(clips, train, facts, boot),
        "nuisance": audit_nuisance(found.test, facts, **boot),
        "slices": slices(found.test, facts, threshold=found.threshold.value, **boot),
        "coverage": coverage(found.test, **boot),
    }
    write_json(folder / "audit.json", content)
    write_audit(folder / "audit.html", audit=content, title=config["experiment_name"], notes=notes)
    return content


def by_recording(clips: ClipPredictions) -> tuple[pd.DataFrame, dict[str, NDArray[np.float64]]]:
    """Ids of the predicted recordings and their features (N,D), each the mean over the recording's clips."""
    groups = clips.table.groupby("recording_id", sort=True)
    ids = groups[["subject_id", "session_id"]].first().reset_index()[list(_IDS)]
    place = groups.ngroup().to_numpy()
    count = np.bincount(place)[:, None]
    features = {}
    for name, values in clips.features.items():
        total = np.zeros((len(ids), values.shape[1]))
        np.add.at(total, place, values.astype(np.float64))
        features[name] = total / count
    return ids, features


def _identity(clips: ClipPredictions, boot: Mapping[str, int]) -> dict[str, Any]:
    ids, features = by_recording(clips)
    if not features:
        return {"reason": _NO_FEATURES}
    return probe_identity(features, ids, **boot)


def _depression(
    clips: ClipPredictions, train: ClipPredictions | None, facts: pd.DataFrame, boot: Mapping[str, int]
) -> dict[str, Any]:
    if train is None:
        return {"reason": _ELSEWHERE}
    ids, features = by_recording(clips)
    train_ids, train_features = by_recording(train)
    if not features:
        return {"reason": _NO_FEATURES}
    return probe_depression(
        train_features, _labeled(train_ids, facts), features, _labeled(ids, facts), **boot
    )


def _labeled(ids: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Ids with `score_target` and `binary_target` where the manifest has them."""
    rows = facts.set_index("recording_id").loc[ids["recording_id"]]
    heads = [head for head in ("score", "binary") if head in rows]
    return ids.assign(**{f"{head}_target": rows[head].to_numpy(dtype=np.float64) for head in heads})
