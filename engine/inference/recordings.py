"""Parts of a split predicted, and their clips combined to recordings with targets and features."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.clips.measurement_coverage import Coverage
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import Manifest
from datamodules.schema import IDS
from datamodules.splits.partition import Split
from engine.config.compose import ConfigError
from engine.config.selection import reads_test
from engine.inference.clip_predictions import ClipPredictions, part_of
from evaluation.change.visit_pairs import MOVED, NAMES
from evaluation.tables.aggregate import combine, to_recordings
from evaluation.tables.clusters import with_clusters
from evaluation.tables.predictions import KNOWN_VISITS, heads_of

_log = logging.getLogger(__name__)
ELSEWHERE = "the training recordings are not part of this manifest"  # where a checkpoint meets other data
Predict = Callable[[Manifest, Split], ClipPredictions]


@dataclass(frozen=True)
class PredictedParts:
    """What a network predicts for parts of a split.

    Attributes:
        clips: Part -> its clips.
        recordings: Part -> its recording table, with targets.
        unmeasured: Recordings of all parts that hold no measurement, see `unmeasured_table`.
    """

    clips: Mapping[str, ClipPredictions]
    recordings: Mapping[str, pd.DataFrame]
    unmeasured: pd.DataFrame


def predicted_recordings(
    predict: Predict,
    manifest: Manifest,
    split: Split,
    *,
    config: Mapping[str, Any],
    parts: Sequence[str] = ("val", "test"),
) -> PredictedParts:
    """Predict parts of a split, each without the others, and combine their clips.

    Args:
        predict: Predicts the test part of a split, such as a `Predictor`.
        manifest: The recordings; their labels become targets here and are not seen by the network.
        split: Whose parts are predicted.
        config: Resolved config of the run: `evaluation.aggregate` combines clips.
        parts: Of train, val and test.

    Raises:
        LeakageError: The test part is asked for under `evaluation.test=false`.
    """
    if "test" in parts and not reads_test(config):
        raise LeakageError(
            "evaluation.test=false: this run may not read its test part, and was asked to predict it. Of a "
            "sweep the chosen trial alone is tested, at its end."
        )
    clips = {}
    for part in parts:
        _log.info("predicting %s: %d recordings", part, len(getattr(split, part)))
        clips[part] = predict(manifest, part_of(split, part))
    facts = targets(manifest, cluster_of(config))
    tables = {part: recordings_of(clips[part].table, facts, split=part, config=config) for part in parts}
    lost = {part: clips[part].unmeasured for part in parts}
    return PredictedParts(clips, tables, unmeasured_table(lost, facts, heads_of(tables[parts[0]])))


def recordings_of(
    clips: pd.DataFrame, facts: pd.DataFrame, *, split: str, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Recording table of predicted clips; `context_available`, `known_visits`, `score_moved` where clips do.

    Args:
        clips: Table of `ClipPredictions`.
        facts: `recording_id` and the targets, such as `targets(manifest)`.
        split: Name of the part.
        config: Resolved config of the run: `evaluation.aggregate` combines clips.
    """
    table = to_recordings(clips, facts, split=split, aggregate=config["evaluation"]["aggregate"])
    if "context_available" in clips:
        known = clips.groupby("recording_id")["context_available"].all()
        table["context_available"] = known.loc[table["recording_id"]].to_numpy(dtype=np.bool_)
    if KNOWN_VISITS in clips:
        counts = clips.groupby("recording_id")[KNOWN_VISITS].max()
        table[KNOWN_VISITS] = counts.loc[table["recording_id"]].to_numpy(dtype=np.int64)
    if NAMES in clips:
        names = clips.groupby("recording_id")[NAMES].first()
        table[NAMES] = names.loc[table["recording_id"]].to_numpy()
    if MOVED in clips:
        rule = combine(config["evaluation"]["aggregate"])
        moved = clips.groupby("recording_id")[MOVED].apply(lambda values: rule(values.to_numpy(np.float64)))
        table[MOVED] = moved.loc[table["recording_id"]].to_numpy(dtype=np.float64)
    return table


def unmeasured_table(
    found: Mapping[str, Mapping[str, Coverage]], facts: pd.DataFrame, heads: Sequence[str]
) -> pd.DataFrame:
    """Rows for `predictions.csv` of recordings that hold no measurement: targets, and no prediction.

    Args:
        found: Split -> recording -> what it holds.
        facts: Ids of the recordings, and their labels, which are the targets.
        heads: Heads of the network.

    Returns:
        Recording table with `valid_share`, the share of valid frames, and `unmeasured`, the reason.
    """
    known = facts.set_index("recording_id")
    rows = [
        {"recording_id": name, **known.loc[name, ["subject_id", "session_id"]].to_dict(), "split": split}
        | {f"{head}_target": known.loc[name].get(head, np.nan) for head in heads}
        | {f"{head}_prediction": np.nan for head in heads}
        | {"valid_share": coverage.share, "unmeasured": coverage.reason}
        for split, recordings in found.items()
        for name, coverage in sorted(recordings.items())
    ]
    return pd.DataFrame(rows)


def targets(manifest: Manifest, cluster: str | None = None) -> pd.DataFrame:
    """The manifest's table with the severity band of each recording.

    Args:
        manifest: The recordings.
        cluster: Column of the groups that intervals are computed over; None for persons.

    Raises:
        ConfigError: No such column, an empty cell of it, or a person in two groups.
    """
    bands = [recording.band for recording in manifest.recordings()]
    table = manifest.table.assign(band=np.array(bands, dtype=np.float64))  # None becomes NaN
    try:
        return with_clusters(table, cluster)
    except ValueError as fault:
        raise ConfigError(f"{manifest}: {fault}") from fault


def cluster_of(config: Mapping[str, Any]) -> str | None:
    """The column of `evaluation.cluster`, None for persons."""
    name = (config.get("evaluation") or {}).get("cluster")  # configs of earlier checkpoints have no such key
    return None if name is None else str(name)


def rows_of(table: pd.DataFrame, ids: Iterable[str]) -> pd.DataFrame:
    """The rows of a table that belong to recordings, in its order."""
    return table[table["recording_id"].isin(set(ids))].reset_index(drop=True)


def recording_features(clips: ClipPredictions) -> tuple[pd.DataFrame, dict[str, NDArray[np.float64]]]:
    """Ids of the predicted recordings and their features (N,D), each the mean over the recording's clips."""
    groups = clips.table.groupby("recording_id", sort=True)
    ids = groups[["subject_id", "session_id"]].first().reset_index()[list(IDS)]
    place = groups.ngroup().to_numpy()
    means = {
        name: pd.DataFrame(values.astype(np.float64)).groupby(place).mean().to_numpy()
        for name, values in clips.features.items()
    }
    return ids, means
