"""Feature series beside or instead of a video: action units, gaze, landmarks, one row a frame."""

from datamodules.series.feature_set import read_feature_set
from datamodules.series.read import is_series, offered_channels, read_series, series_size
from datamodules.series.series import Series, UnreadableSeries

__all__ = [
    "Series",
    "UnreadableSeries",
    "is_series",
    "offered_channels",
    "read_feature_set",
    "read_series",
    "series_size",
]
