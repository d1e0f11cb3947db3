"""Facts of the signal: single numbers a network could read off it, which a leak audit relates to the label.

Of every channel its mean, spread, extremes, single rows and steps; of a series where rows are missing; of all
channels together the offset that they share. Of videos what the manifest states of their pictures, and where
frames are masked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.clips.dataset import UNREADABLE, ClipSource
from datamodules.clips.feature_sets.source import FeatureSetClips
from datamodules.manifests.manifest import Recording
from datamodules.series import Series

Array = NDArray[np.float64]

PICTURES = ("brightness", "border", "blur", "face_x", "face_y", "face_size", "yaw", "pitch", "roll", "usable")
TOLD = ("length in rows", "frame rate")
"""Facts of a series that are about its file: no behavior, and nothing that a clip of fixed length shows."""

SHARED = {
    "mean of": "offset of all channels",
    "spread of": "spread of all channels",
    "first row of": "first row of all channels",
}
_WIDE, _OF_WIDE = 256, ("mean of", "spread of")  # of more channels, as of embeddings, only these: our choice
_FEW = 3  # recordings a channel below which covariances are left out of the shared offset (our choice)
_LOADING = 1e-6  # share of its variance that is added to a channel: repeated channels have no inverse


def signal_facts(recordings: Sequence[Recording], source: ClipSource, table: pd.DataFrame) -> pd.DataFrame:
    """Facts of the input (N, F), NaN where a recording lacks one.

    Args:
        recordings: The recordings.
        source: A prepared source.
        table: Their manifest rows in the same order.
    """
    rows: list[Mapping[str, float]] = []
    for recording in recordings:
        try:
            rows.append(_facts_of(source, recording))
        except UNREADABLE:  # training names it, and leaves it out
            rows.append({})
    facts = pd.DataFrame(rows, index=range(len(recordings)), dtype=np.float64)
    if hasattr(source, "series"):
        return pd.concat([facts, shared_offsets(facts)], axis=1)
    pictures = table[[name for name in PICTURES if name in table]].astype(np.float64)
    return pd.concat([pictures.reset_index(drop=True), facts], axis=1)


def _facts_of(source: ClipSource, recording: Recording) -> Mapping[str, float]:
    """Facts of a recording; of feature sets those of each, with its name where they are of no channel."""
    if not isinstance(source, FeatureSetClips):
        series = source.measured(recording)
        return {} if series is None else series_facts(series)
    found: dict[str, float] = {}
    whole = source.series(recording)
    for name, (place, valid) in zip(source.widths, source.parts(whole), strict=True):
        channels = whole.channels[place]
        facts = series_facts(replace(whole, values=whole.values[:, place], channels=channels, valid=valid))
        for what, value in facts.items():
            if " of " in what and "/" in what:
                if len(whole.channels) <= _WIDE or what.startswith(_OF_WIDE):
                    found[what] = value
            else:
                found[what if what in TOLD else f"{what} of {name}"] = value
    return found


def series_facts(series: Series) -> dict[str, float]:
    """Facts of one series: of the measured rows by channel, and of the missing ones."""
    lost = np.flatnonzero(~series.valid)
    length = len(series.valid)
    gaps = np.diff(np.flatnonzero(np.concatenate([[True], series.valid, [True]])))
    facts = {
        "length in rows": float(length),
        "frame rate": np.nan if series.fps is None else series.fps,
        "share of missing rows": len(lost) / length,
        "longest gap": float(gaps.max() - 1) / length,
        "first missing row": float(lost[0]) / length if len(lost) else np.nan,
        "last missing row": float(lost[-1]) / length if len(lost) else np.nan,
    }
    values = series.values[series.valid].astype(np.float64)
    if not len(values):
        return facts
    steps = np.abs(np.diff(values, axis=0)).mean(axis=0) if len(values) > 1 else np.zeros(values.shape[1])
    summaries = {
        "mean of": values.mean(axis=0),
        "spread of": values.std(axis=0),
        "lowest of": values.min(axis=0),
        "highest of": values.max(axis=0),
        "first row of": values[0],
        "middle row of": values[len(values) // 2],
        "last row of": values[-1],
        "steps of": steps,
    }
    for what, numbers in summaries.items():
        facts |= {f"{what} {name}": value for name, value in zip(series.channels, numbers, strict=True)}
    return facts


def shared_offsets(facts: pd.DataFrame) -> pd.DataFrame:
    """What all channels have in common, in their units and in units of their spread over recordings.

    A constant that is added to all channels shows best along `S^-1 1` with their covariance S: the direction
    that discriminant analysis would choose for it, without a label.
    """
    out: dict[str, Array] = {}
    for start, name in SHARED.items():
        block = facts[[column for column in facts if str(column).startswith(f"{start} ")]]
        values = block.dropna(axis=1, how="all").to_numpy()
        moves = np.nanstd(values, axis=0) > 0 if values.size else np.zeros(0, dtype=bool)
        if moves.sum() < 2:
            continue
        values = values[:, moves] - np.nanmean(values[:, moves], axis=0)
        out[name] = _along(values)
        out[f"{name} in spreads"] = _along(values / np.nanstd(values, axis=0))
    return pd.DataFrame(out, index=facts.index)


def _along(values: Array) -> Array:
    known = np.isfinite(values).all(axis=1)
    spread = np.cov(values[known], rowvar=False)
    if known.sum() < _FEW * len(spread):
        spread = np.diag(np.diag(spread))
    loaded = spread + np.diag(_LOADING * np.diag(spread) + np.finfo(np.float64).tiny)
    projected: Array = values @ np.linalg.solve(loaded, np.ones(len(spread)))
    return projected
