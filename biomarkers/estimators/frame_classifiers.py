"""Depression predicted from single frames of action units, averaged per recording (Sun, Zhang & Men 2023).

IEIE Transactions on Smart Processing & Computing 12(6):511. Of the paper's twelve units AU3 is none of an
adult, and OpenFace states no AU18, AU19 and AU27: the units are an argument here.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from datamodules.series import Series
from evaluation.metrics import definitions as metrics

Array = NDArray[np.float64]

FRAMES = 100  # of a recording, our choice: neighbors of every frame of a cohort take hours


def sample_frames(
    recordings: Sequence[Series], channels: Sequence[str], *, per_recording: int | None
) -> tuple[Array, NDArray[np.intp]]:
    """Frames (n, F) evenly spaced over the measured ones of each recording, and the recording of each (n,).

    A frame counts if its row is valid and all channels are finite.

    Args:
        recordings: Series of any length.
        channels: Names of the F channels.
        per_recording: Frames to take; a shorter recording gives what it has, None takes all.

    Raises:
        ValueError: A recording lacks a channel or has no such frame.
    """
    frames, owners = [], []
    for row, series in enumerate(recordings):
        missing = [name for name in channels if name not in series.channels]
        if missing:
            raise ValueError(
                f"recording {row} has no channel '{missing[0]}': name channels that every recording has"
            )
        values = series.values[:, [series.channels.index(name) for name in channels]].astype(np.float64)
        measured = np.flatnonzero(series.valid & np.isfinite(values).all(axis=1))
        if not measured.size:
            raise ValueError(
                f"recording {row} (counted from 0) has no frame with all of {', '.join(channels)}: "
                "leave it out of the manifest, or a channel"
            )
        count = measured.size if per_recording is None else min(per_recording, measured.size)
        chosen = measured[np.linspace(0, measured.size - 1, count).round().astype(np.intp)]
        frames.append(values[chosen])
        owners.append(np.full(count, row))
    return np.concatenate(frames), np.concatenate(owners)


class FrameClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Share of the frames that are called positive; a recording is positive from one half on.

    The paper averages "predicted values"; a linear SVM predicts labels, so labels are averaged for all three.

    Args:
        estimator: A classifier of rows; targets are 0 and 1.
        channels: Names of the action units.
        frames_per_recording: Evenly spaced frames of a recording to fit and to predict; None takes all.
    """

    def __init__(
        self, *, estimator: Any, channels: Sequence[str], frames_per_recording: int | None = FRAMES
    ) -> None:
        self.estimator = estimator
        self.channels = channels
        self.frames_per_recording = frames_per_recording

    def fit(self, recordings: Sequence[Series], y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit all frames of the recordings, each with the label (N,), 0 or 1, of its recording.

        Nothing is chosen inside the training part, so the persons `groups` (N,) change nothing.
        """
        self.classes_ = np.unique(y)
        if self.classes_.tolist() != [0, 1]:
            raise ValueError(f"labels {self.classes_.tolist()[:5]}: averages need both labels, 0 and 1")
        frames, owners = self._frames(recordings)
        self.model_ = make_pipeline(MinMaxScaler(), clone(self.estimator))
        self.model_.fit(frames, np.asarray(y)[owners])
        return self

    def predict_proba(self, recordings: Sequence[Series]) -> Array:
        """Return the shares (N, 2) of frames called 0 and 1."""
        positive = self._mean(recordings)
        return np.stack([1 - positive, positive], axis=1)

    def predict(self, recordings: Sequence[Series]) -> NDArray[Any]:
        """Return the labels (N,)."""
        return (self._mean(recordings) >= 0.5).astype(self.classes_.dtype)

    def _mean(self, recordings: Sequence[Series]) -> Array:
        """Mean prediction (N,) of the frames of each recording."""
        frames, owners = self._frames(recordings)
        return recording_means(self.model_.predict(frames), owners)

    def _frames(self, recordings: Sequence[Series]) -> tuple[Array, NDArray[np.intp]]:
        return sample_frames(recordings, self.channels, per_recording=self.frames_per_recording)


def recording_means(predictions: ArrayLike, owners: NDArray[np.intp]) -> Array:
    """Mean prediction of each recording, whose numbers `owners` (n,) run from 0."""
    sums = np.bincount(owners, weights=np.asarray(predictions, dtype=np.float64))
    return np.asarray(sums / np.bincount(owners))


def paper_metrics(y: ArrayLike, share: ArrayLike) -> dict[str, float]:
    """Accuracy, MAE and RMSE over recordings, equations 9 to 11 of the paper.

    The errors are those of the share of positive frames (N,) from the label (N,), both 0 to 1. The paper's
    errors of 6 to 9 have a unit that it does not tell and cannot be compared.
    """
    called = (np.asarray(share) >= 0.5).astype(float)
    values = {
        "accuracy": metrics.accuracy(y, called),
        "mae": metrics.mae(y, share),
        "rmse": metrics.rmse(y, share),
    }
    return {name: float(value.value) for name, value in values.items() if value.value is not None}
