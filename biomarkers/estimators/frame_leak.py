"""A demonstration, not a protocol: what accuracy becomes when frames of one recording lie on both sides.

Frames of a person resemble each other more than frames of a diagnosis do. A classifier that has seen some of
them recognizes the person and repeats the label. The split of Sun, Zhang & Men (2023) is not told; a split
over shuffled frames is what their protocol invites.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from biomarkers.estimators.frames import FRAMES, paper_metrics, recording_means, sample_frames
from biomarkers.estimators.readers import Fold, person_folds
from datamodules.series import Series

FRAME_RANDOM = "frame-random (leaks: a demonstration)"
PERSON_GROUPED = "person-grouped"
_FOLDS = 5  # our choice


def gap_table(
    recordings: Sequence[Series],
    y: ArrayLike,
    persons: ArrayLike,
    estimators: Mapping[str, Any],
    *,
    channels: Sequence[str],
    frames_per_recording: int | None = FRAMES,
    seed: int = 0,
) -> pd.DataFrame:
    """The same frames and estimators under a split that leaks and under one that does not.

    Args:
        recordings: Series of any length.
        y: Labels (N,), 0 or 1.
        persons: Person of each recording (N,).
        estimators: Classifiers of rows by name, such as `frames.paper_estimators()`.
        channels: Names of the action units.
        frames_per_recording: Evenly spaced frames of each recording; None takes all.
        seed: Shuffles the frames of the split that leaks.

    Returns:
        One row per estimator and split: `estimator, split, accuracy, mae, rmse, frame_accuracy`, of all
        recordings when held out.
    """
    frames, owners = sample_frames(recordings, channels, per_recording=frames_per_recording)
    labels, people = np.asarray(y), np.asarray(persons)
    splits = {
        FRAME_RANDOM: _shuffled(labels[owners], seed),
        PERSON_GROUPED: person_folds(labels[owners], people[owners], folds=_FOLDS, classes=True),
    }
    rows = [
        {"estimator": name, "split": split} | _held_out(estimator, frames, labels, owners, folds)
        for name, estimator in estimators.items()
        for split, folds in splits.items()
    ]
    return pd.DataFrame(rows)


def frame_random_accuracy(
    recordings: Sequence[Series],
    y: ArrayLike,
    estimator: Any,
    *,
    channels: Sequence[str],
    frames_per_recording: int | None = FRAMES,
    seed: int = 0,
) -> float:
    """Accuracy over recordings under a frame-random split: LEAKS, shown to be compared, never to be reported.

    Args:
        recordings: Series of any length.
        y: Labels (N,), 0 or 1.
        estimator: A classifier of rows.
        channels: Names of the action units.
        frames_per_recording: Evenly spaced frames of each recording; None takes all.
        seed: Shuffles the frames.
    """
    frames, owners = sample_frames(recordings, channels, per_recording=frames_per_recording)
    labels = np.asarray(y)
    return _held_out(estimator, frames, labels, owners, _shuffled(labels[owners], seed))["accuracy"]


def _shuffled(labels: NDArray[Any], seed: int) -> list[Fold]:
    splitter = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    return list(splitter.split(labels, labels))


def _held_out(
    estimator: Any, frames: NDArray[Any], y: NDArray[Any], owners: NDArray[np.intp], folds: Sequence[Fold]
) -> dict[str, float]:
    """Every frame is predicted by a model that has not seen that frame."""
    called = np.full(len(frames), np.nan)
    for fit, held in folds:
        model = make_pipeline(MinMaxScaler(), clone(estimator)).fit(frames[fit], y[owners[fit]])
        called[held] = model.predict(frames[held])
    if np.isnan(called).any():
        raise ValueError(
            f"{int(np.isnan(called).sum())} frames are in no fold's test part: "
            "each class needs two persons or more"
        )
    values = paper_metrics(y, recording_means(called, owners))
    return values | {"frame_accuracy": float(np.mean(called == y[owners]))}
