"""Aggregation of clips to recordings, and of recordings to persons."""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from datamodules.manifests.visits import COLUMN
from datamodules.schema import IDS
from evaluation.tables.clusters import cluster_column
from evaluation.tables.predictions import HEADS, PredictionError, check_clips

Aggregate = Literal["mean", "median", "trimmed"]

TRIM = 0.2  # our choice: share of clips cut off at *each* end


def combine(aggregate: Aggregate) -> Callable[[NDArray[np.float64]], float]:
    """Rule that turns the predictions of several clips into one.

    Raises:
        ValueError: an unknown rule.
    """
    rules: dict[Aggregate, Callable[[NDArray[np.float64]], float]] = {
        "mean": lambda values: float(np.mean(values)),
        "median": lambda values: float(np.median(values)),
        "trimmed": lambda values: float(stats.trim_mean(values, TRIM)),
    }
    if aggregate not in rules:
        raise ValueError(f"aggregate={aggregate!r}: use one of {', '.join(get_args(Aggregate))}")
    return rules[aggregate]


def to_recordings(
    clips: pd.DataFrame, targets: pd.DataFrame, *, split: str, aggregate: Aggregate = "mean"
) -> pd.DataFrame:
    """Combine clips into a recording table with its targets.

    Args:
        clips: clip table (see `predictions.check_clips`).
        targets: the manifest's table or a part of it: `recording_id` and any of `score, binary, band,
            visit_order`.
        split: name written into the column `split`.
        aggregate: rule for the clips of one recording.

    Raises:
        PredictionError: a predicted recording is not among the targets.
    """
    table = check_clips(clips)
    heads = [head for head in HEADS if head in table.columns]
    rule = combine(aggregate)
    grouped = table.groupby("recording_id", sort=True)
    out = grouped[["subject_id", "session_id"]].first().reset_index()[list(IDS)]
    out["split"] = split
    known = targets.assign(recording_id=targets["recording_id"].astype(str)).set_index("recording_id")
    strangers = sorted(set(out["recording_id"]) - set(known.index))
    if strangers:
        raise PredictionError(
            f"predicted recordings {strangers[:5]} are not in the manifest: predict its recordings only"
        )
    if (cluster := cluster_column(known)) is not None:
        out[cluster] = known.loc[out["recording_id"], cluster].to_numpy()
    if COLUMN in known.columns:
        out[COLUMN] = known.loc[out["recording_id"], COLUMN].to_numpy(dtype=np.float64, na_value=np.nan)
    for head in HEADS:
        if head in known.columns:
            out[f"{head}_target"] = known.loc[out["recording_id"], head].to_numpy(
                dtype=np.float64, na_value=np.nan
            )
        if head in heads:
            out[f"{head}_prediction"] = (
                grouped[head].apply(lambda v: rule(v.to_numpy(dtype=np.float64))).to_numpy(dtype=np.float64)
            )
    return out


def to_subjects(recordings: pd.DataFrame) -> pd.DataFrame:
    """One row per person, in the form of a recording table.

    Scores, probabilities and bands are means over the person's labeled recordings; a person counts as
    positive when at least half of those recordings are (our choice), and the band is rounded.
    """
    columns = [
        c for c in recordings.columns if c.endswith(("_target", "_prediction")) and c.split("_")[0] in HEADS
    ]
    table = recordings.copy()
    for head in HEADS:
        target, prediction = f"{head}_target", f"{head}_prediction"
        if target in table and prediction in table:
            # the two sides of a comparison must be means over the same recordings
            table.loc[~_counted(table, head), prediction] = np.nan
    out = table.groupby("subject_id", sort=True)[columns].mean().reset_index()
    if "binary_target" in out:
        out["binary_target"] = (out["binary_target"] >= 0.5).where(out["binary_target"].notna()).astype(float)
    if "band_target" in out:
        out["band_target"] = np.floor(out["band_target"] + 0.5)
    split = recordings["split"].iloc[0] if "split" in recordings and len(recordings) else ""
    out = out.assign(recording_id=out["subject_id"], session_id="", split=split)
    if (cluster := cluster_column(recordings)) is not None:
        own = recordings.groupby("subject_id", sort=True)[cluster].first()
        return out.assign(**{cluster: own.to_numpy()})[[*IDS, "split", cluster, *columns]]
    return out[[*IDS, "split", *columns]]


def _counted(table: pd.DataFrame, head: str) -> pd.Series:
    """Recordings whose prediction counts for their person: the labeled ones.

    Where the score ranks the class, as there is no binary head, a person without any score is ranked by the
    recordings whose class is known.
    """
    known = table[f"{head}_target"].notna()
    if head != "score" or "binary_prediction" in table or "binary_target" not in table:
        return known
    scored = known.groupby(table["subject_id"]).transform("any")
    return known | (~scored & table["binary_target"].notna())
