"""Tables of predictions: their columns, their checks, and `predictions.csv`.

A clip table has one row per `(recording_id, clip)`; a recording table one row per recording (see
`evaluation.metrics.applicable`).
"""

from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.manifests.visits import COLUMN
from datamodules.schema import IDS
from evaluation.tables.clusters import PREFIX, cluster_column

DIVERGED = (
    "lower model.optimizer.lr, keep trainer.gradient_clip_val, and look for extreme values in the input"
)
HEADS = ("score", "binary", "band")  # whose predictions a table may hold, the primary one first
KNOWN_VISITS = "known_visits"  # earlier visits of a person that stood behind a prediction with their scores
_FIRST = (*IDS, "split", "target", "prediction", "low", "high")


class PredictionError(ValueError):
    """A table of predictions that cannot be evaluated."""


def check_clips(clips: pd.DataFrame) -> pd.DataFrame:
    """Return a valid clip table: ids as strings, one row per `(recording_id, clip)`, in that order.

    A row that repeats another (ranks of a distributed run are padded with repeated batches) is dropped.

    Args:
        clips: columns `recording_id, subject_id, session_id, clip` and at least one of `score, binary, band`.

    Raises:
        PredictionError: columns are missing, a prediction is not finite, two rows of one clip differ, or a
            recording appears under two subjects or sessions.
    """
    missing = sorted({*IDS, "clip"} - set(clips.columns))
    heads = [head for head in HEADS if head in clips.columns]
    if missing or not heads:
        raise PredictionError(f"clip table lacks {missing or 'a prediction'}: it has {sorted(clips.columns)}")
    if clips.empty:
        raise PredictionError("clip table is empty: nothing was predicted")
    table = clips.assign(**{name: clips[name].astype(str) for name in IDS})
    for head in heads:
        bad = table.loc[~np.isfinite(table[head].to_numpy(dtype=np.float64)), "recording_id"].unique()
        if len(bad):
            raise PredictionError(
                f"{head} predictions of {sorted(bad)[:5]} are not finite ({len(bad)} recordings): the model "
                f"diverged; {DIVERGED}"
            )
    table = _once(table, heads)
    for name in ("subject_id", "session_id"):
        torn = table.groupby("recording_id")[name].nunique()
        if (torn > 1).any():
            raise PredictionError(
                f"recordings {torn[torn > 1].index.tolist()[:5]} appear under two values of {name}"
            )
    return table


def _once(table: pd.DataFrame, heads: list[str]) -> pd.DataFrame:
    """One row per clip; rows that repeat a clip must repeat its predictions."""
    table = table.drop_duplicates(subset=[*IDS, "clip", *heads])
    repeated = table[table.duplicated(["recording_id", "clip"], keep=False)]
    if len(repeated):
        keys = sorted(
            {(str(r), int(c)) for r, c in zip(repeated["recording_id"], repeated["clip"], strict=True)}
        )
        raise PredictionError(
            f"clips {keys[:5]} were predicted twice with different values: predict each clip once"
        )
    return table.sort_values(["recording_id", "clip"], ignore_index=True)


def primary_head(recordings: pd.DataFrame) -> str:
    """Head that fills `target` and `prediction` of `predictions.csv`: score, else binary, else band.

    Raises:
        PredictionError: the table holds no prediction.
    """
    if heads := heads_of(recordings):
        return heads[0]
    raise PredictionError(f"recording table holds no prediction: columns are {sorted(recordings.columns)}")


def heads_of(recordings: pd.DataFrame) -> list[str]:
    """Heads that have predictions in the table."""
    return [head for head in HEADS if f"{head}_prediction" in recordings.columns]


def measured(recordings: pd.DataFrame) -> pd.DataFrame:
    """The rows that have a prediction: all but those of recordings that hold no measurement."""
    return recordings.dropna(subset=[f"{primary_head(recordings)}_prediction"], ignore_index=True)


def write_predictions(
    path: Path, recordings: pd.DataFrame, *, unmeasured: pd.DataFrame | None = None
) -> None:
    """Write `predictions.csv`: ids, split, `target, prediction, low, high` of the primary head, all heads.

    Columns `low` and `high` (see `prediction_intervals`) are left empty where the table has none, and
    `known_visits` is there where earlier visits stood behind the predictions, `cluster_<name>` where
    intervals are over groups of persons.

    Args:
        path: the file.
        recordings: recording table.
        unmeasured: rows of recordings that hold no measurement; only where there are some, the file has the
            columns `valid_share` and `unmeasured`, the reason why they have no prediction.
    """
    head = primary_head(recordings)
    table = recordings.copy()
    if unmeasured is not None and len(unmeasured):
        table = pd.concat([table, unmeasured], ignore_index=True)
    table["prediction"] = table[f"{head}_prediction"]
    for column, source in (("target", f"{head}_target"), ("low", "low"), ("high", "high")):
        table[column] = table.get(source, np.nan)
    others = [f"{h}_{side}" for h in HEADS for side in ("target", "prediction") if f"{h}_{side}" in table]
    others += [name for name in (COLUMN, KNOWN_VISITS, "valid_share", "unmeasured") if name in table]
    others += [name for name in [cluster_column(table)] if name is not None]
    path.parent.mkdir(parents=True, exist_ok=True)
    table[[*_FIRST, *others]].sort_values(["split", "recording_id"]).to_csv(path, index=False)


def _clusters_of(path: Path) -> list[str]:
    """Columns of the header that name groups of persons: their values stay as they are written."""
    header = path.open(encoding="utf-8").readline().strip().split(",")
    return [name for name in header if name.startswith(PREFIX)]


def read_predictions(path: Path) -> pd.DataFrame:
    """Read `predictions.csv`; ids stay strings ("007" is not 7, "NA" and "None" are names like any other).

    Raises:
        PredictionError: it is no such table, or columns are missing.
    """
    try:
        table = pd.read_csv(
            path,
            dtype=dict.fromkeys((*IDS, "split", *_clusters_of(path)), str),
            float_precision="round_trip",
            keep_default_na=False,
            na_values=[""],  # how a number that is missing is written
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise PredictionError(
            f"{path}: is no table of predictions ({error}). Evaluate the run again."
        ) from error
    missing = sorted(set(_FIRST) - set(table.columns))
    if missing:
        raise PredictionError(f"{path} lacks {missing}: write it with write_predictions")
    numbers = [name for name in table if str(name).endswith(("target", "prediction"))] + ["low", "high"]
    if odd := [name for name in numbers if not pd.api.types.is_numeric_dtype(table[name]) and len(table)]:
        texts = pd.to_numeric(table[odd[0]], errors="coerce").isna() & table[odd[0]].notna()
        if texts.any():
            found = table[odd[0]][texts].iloc[0]
            raise PredictionError(
                f"{path}: {odd[0]!r} is {found!r:.40} in row {texts.argmax() + 2}, no number. "
                "Evaluate the run again."
            )
    return table
