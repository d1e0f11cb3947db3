"""Facial series of a recording from the landmarks of the person who was followed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from preprocessing.quality.crop_facts import CropFacts
from preprocessing.quality.gate import Verdict
from preprocessing.tracking.track import Track


def face_series(track: Track, verdict: Verdict, seconds: NDArray[np.float64]) -> pd.DataFrame:
    """One row a frame: `timestamp` (s), `confidence`, `valid` (0 or 1), then the channels; gaps are empty."""
    raise NotImplementedError


def summary(
    track: Track, verdict: Verdict, facts: Sequence[CropFacts | None], series: pd.DataFrame
) -> dict[str, float]:
    """The recording in one row, under the names that a manifest has for nuisances.

    `brightness, blur, face_x, face_y, face_size, yaw, pitch, roll` and the share of usable frames.
    """
    raise NotImplementedError
