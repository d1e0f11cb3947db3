"""Clips of aligned faces from a cache of `preprocess.py`: frames that its gate refused are masked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from datamodules.clips.dataset import PixelClips
from datamodules.manifests.manifest import Recording
from datamodules.readers.index.index_cache import packet_index
from datamodules.series import Series, UnreadableSeries, read_series


class FaceClips(PixelClips):
    """Clips of aligned faces: what `PixelClips` gives, and `valid` bool (T,) of the series beside the video.

    The mask comes from the rows of `series_path`, row t being frame t; of its channels nothing is read. A
    clip in which no frame is valid is not decoded: its content is `valid` alone.

    Args:
        video: Reads frames of one size.
    """

    def prepared(self, recordings: Sequence[Recording]) -> "FaceClips":
        """Return itself."""
        return self

    def measured(self, recording: Recording) -> Series:
        """The rows of the series without channels: which frames are used, and the rate.

        Raises:
            UnreadableSeries: The series is missing or damaged, or has not as many rows as the video frames.
            UnreadableVideo: The video is missing or damaged.
        """
        if recording.series_path is None:
            raise UnreadableSeries(
                f"recording {recording.recording_id!r} has no series that says which frames are used: give "
                "the manifest.csv of a cache of preprocess.py, or read the videos alone with "
                "data=manifest"
            )
        path = self._path(recording)
        series = read_series(recording.series_path, channels=(), fps=recording.fps or None)
        if len(series.valid) != (frames := packet_index(path).n_frames):
            raise UnreadableSeries(
                f"{recording.series_path}: has {len(series.valid)} rows, and {path} has {frames} frames: "
                "they are not of one recording. Preprocess it again"
            )
        return series

    def length(self, recording: Recording) -> int:
        """Frames of the video, which are the rows of the series.

        Raises:
            UnreadableSeries: See `measured`; likewise UnreadableVideo.
        """
        return len(self.measured(recording).valid)

    def clip(self, recording: Recording, indices: Sequence[int]) -> dict[str, Any]:
        """Read the frames, unless none of them is used.

        Raises:
            UnreadableVideo: The video is missing or damaged; likewise UnreadableSeries.
        """
        rows = np.asarray(indices, dtype=np.int64)
        valid = torch.from_numpy(np.array(self.measured(recording).valid[rows]))
        return ({} if not valid.any() else super().clip(recording, indices)) | {"valid": valid}
