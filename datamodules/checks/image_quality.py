"""Image quality for the shortcut audit: black borders and sharpness of the pictures.

They are measured when an audit asks and do not enter the manifest: a column more would change its digest, and
every checkpoint knows its data by that.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.readers import UnreadableVideo, open_video

_log = logging.getLogger(__name__)

_DARK = 20  # of 255: black in limited range is 16, and coding noise adds a little; our choice
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_THREADS = 4

Gray = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def measure_pictures(manifest: Manifest, ids: Sequence[str]) -> pd.DataFrame:
    """Return `recording_id, border, blur` of the recordings that have a video, each a median of three frames.

    A video that cannot be read is named in the log and left out.

    Args:
        manifest: where the videos are.
        ids: recordings to measure.
    """
    files = [(r.recording_id, r.path) for r in manifest.recordings(ids) if r.path is not None]
    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(lambda file: _measured(*file), files))
    rows = [row for row in found if row is not None]
    return pd.DataFrame(rows, columns=["recording_id", "border", "blur"])


def border_share(gray: Gray) -> float:
    """Share of a picture (H,W) in 0-255 that dark rows and columns at its edges take up, 0 to 1."""
    bright = gray > _DARK
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    if not rows.size:
        return 1.0
    inside = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    return 1.0 - float(inside) / gray.size


def sharpness(gray: Gray) -> float:
    """Variance of the Laplacian of a picture (H,W) in 0-255 (Pech-Pacheco et al. 2000); low is blurred."""
    neighbors = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:]
    return float((neighbors - 4 * gray[1:-1, 1:-1]).var())


def _measured(recording: str, path: Path) -> tuple[str, float, float] | None:
    try:
        with open_video(path) as reader:
            count = reader.n_frames
            frames = reader.frames(sorted({count // 4, count // 2, 3 * count // 4}))
    except (UnreadableVideo, OSError) as fault:
        _log.warning("%s cannot be read: %s", path, fault)
        return None
    grays = np.tensordot(frames.numpy().astype(np.float64), np.asarray(_LUMA), axes=([1], [0]))
    border = float(np.median([border_share(gray) for gray in grays]))
    return recording, border, float(np.median([sharpness(gray) for gray in grays]))
