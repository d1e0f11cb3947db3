"""Series of faces that `preprocess.py` writes beside its clips: Parquet, one row a frame of the video.

`frame` counts from 0, `timestamp` is in seconds, `valid` is the verdict on the frame. It alone says what is
measured: `confidence` is that of the detector, which the verdict has weighed already, and which knows neither
blur nor darkness.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.series.formats.base import Format, counted_from, row_marks

_OWN = frozenset({"frame", "timestamp", "confidence", "valid", "eye_aspect_ratio"})


def _valid(table: pd.DataFrame, path: Path) -> np.ndarray:
    return np.asarray(row_marks(table, "valid", path) == 1)


FACES = Format(
    name="faces",
    recognises=lambda _, names: set(names) >= _OWN,
    columns={},
    timeline=counted_from(0),
    valid=_valid,
    strict=True,
)
