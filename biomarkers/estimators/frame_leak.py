"""A demonstration of leakage: accuracy where frames of one recording are in both training and test.

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

from biomarkers.estimators.frame_classifiers import FRAMES, paper_metrics, recording_means, sample_frames
from biomarkers.estimators.linear import Fold, person_folds
from datamodules.series import Series
from evaluation.uncertainty.bootstrap import Resampling, percentile_interval, subject_weights

Array = NDArray[np.float64]

FRAME_RANDOM = "frame-random (leaks: a demonstration)"
PERSON_GROUPED = "person-grouped"
DIFFERENCE = "difference"
_FOLDS = 5  # our choice


def gap_table(
    recordings: Sequence[Series],
    y: ArrayLike,
    persons: ArrayLike,
    estimators: Mapping[str, Any],
    resampling: Resampling,
    *,
    channels: Sequence[str],
    frames_per_recording: int | None = FRAMES,
) -> pd.DataFrame:
    """The same frames and estimators under a split that leaks and under one that does not.

    Accuracies come with percentile intervals over persons, for both splits and for their difference from the
    same resamples. They describe these fits: that other training persons give other fits is not in them.

    Args:
        recordings: Series of any length.
        y: Labels (N,), 0 or 1.
        persons: Person of each recording (N,).
        estimators: Classifiers of rows by name, as in `FrameClassifier`.
        resampling: Of persons; its seed shuffles the frames of the split that leaks as well.
        channels: Names of the action units.
        frames_per_recording: Evenly spaced frames of each recording; None takes all.

    Returns:
        Three rows per estimator, `split` being the two splits and their `DIFFERENCE`: `estimator, split,
        accuracy, accuracy_low, accuracy_high, mae, rmse, frame_accuracy`, of all recordings when held out.
    """
    frames, owners = sample_frames(recordings, channels, per_recording=frames_per_recording)
    labels, own = np.asarray(y), np.asarray(persons)
    shuffled = StratifiedKFold(_FOLDS, shuffle=True, random_state=resampling.seed)
    splits = {
        FRAME_RANDOM: list(shuffled.split(frames, labels[owners])),
        PERSON_GROUPED: person_folds(labels[owners], own[owners], folds=_FOLDS, classes=True),
    }
    weights = np.concatenate(list(subject_weights(own.tolist(), resampling)))
    rows: list[dict[str, Any]] = []
    for name, estimator in estimators.items():
        called = {
            split: _held_out(estimator, frames, labels, owners, folds) for split, folds in splits.items()
        }
        rows += [{"estimator": name} | row for row in _rows(called, labels, owners, weights)]
    return pd.DataFrame(rows)


def _rows(
    called: Mapping[str, Array], y: NDArray[Any], owners: NDArray[np.intp], weights: Array
) -> list[dict[str, Any]]:
    """A row a split, and one of the difference."""
    values, hits = {}, {}
    for split, own in called.items():
        share = recording_means(own, owners)
        values[split] = paper_metrics(y, share) | {"frame_accuracy": float(np.mean(own == y[owners]))}
        hits[split] = ((share >= 0.5) == y).astype(np.float64)
    leaky, honest = values[FRAME_RANDOM], values[PERSON_GROUPED]
    values[DIFFERENCE] = {name: leaky[name] - honest[name] for name in leaky}
    hits[DIFFERENCE] = hits[FRAME_RANDOM] - hits[PERSON_GROUPED]
    rows: list[dict[str, Any]] = []
    for split, numbers in values.items():
        low, high, _ = percentile_interval(weights @ hits[split] / weights.sum(axis=1))
        rows.append({"split": split, **numbers, "accuracy_low": low, "accuracy_high": high})
    return rows


def _held_out(
    estimator: Any, frames: NDArray[Any], y: NDArray[Any], owners: NDArray[np.intp], folds: Sequence[Fold]
) -> Array:
    """Labels of all frames, each by a model that has not seen that frame."""
    called = np.full(len(frames), np.nan)
    for fit, held in folds:
        model = make_pipeline(MinMaxScaler(), clone(estimator)).fit(frames[fit], y[owners[fit]])
        called[held] = model.predict(frames[held])
    if np.isnan(called).any():
        raise ValueError(
            f"{int(np.isnan(called).sum())} frames are in no fold's test part: "
            "each class needs two persons or more"
        )
    return called
