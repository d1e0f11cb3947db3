"""Bare NumPy arrays of corpora: D-Vlog's landmarks, MPDD's OpenFace features; rows of zeros show no face.

D-Vlog (Yoon et al. 2022): `<id>_visual.npy` (T, 136), the 68 landmarks as x, y, x, y, ..., one row a second.
MPDD (arXiv 2505.10034): `.npy` (T, 709), OpenFace's 714 columns without the first five; the rate is not told.
"""

from pathlib import Path

import numpy as np

from datamodules.series.channel_schema import FACE_POINTS
from datamodules.series.formats import openface
from datamodules.series.formats.plain import as_floats
from datamodules.series.series import Series, UnreadableSeries
from datamodules.series.timebase import check_rate

_DVLOG_FPS = 1.0
_OPENFACE = openface.ORDER[5:]
_JAW = 17  # the first landmarks run along the jaw, in the image from left to right


def load_npy(path: Path, fps: float | None) -> Series:
    """Read an array by its file name and its width.

    Args:
        path: The file.
        fps: Rows per second of MPDD's features, if known.

    Raises:
        UnreadableSeries: Another shape, or landmarks that come all x first.
    """
    values = np.load(path, allow_pickle=False)
    if not isinstance(values, np.ndarray):
        raise UnreadableSeries(f"{path}: an archive under the name of an array; rename it to .npz")
    values = as_floats(values, path)
    if values.ndim == 2 and values.shape[1] == 2 * FACE_POINTS and path.stem.endswith("_visual"):
        _check_order(values, path)
        interleaved = [f"{axis}_{k}" for k in range(FACE_POINTS) for axis in "xy"]
        return _series(values, tuple(interleaved), _DVLOG_FPS)
    if values.ndim == 2 and values.shape[1] == len(_OPENFACE):
        channels = [openface.COLUMNS[name].channel for name in _OPENFACE]
        rate = None if fps is None else check_rate(path, fps, "the manifest's 'fps'")
        return _series(values, tuple(channels), rate)
    raise UnreadableSeries(
        f"{path}: an array {values.shape} is neither D-Vlog's landmarks (*_visual.npy, T x "
        f"{2 * FACE_POINTS}) nor OpenFace without its first columns (T x {len(_OPENFACE)}); write it as .npz "
        "with its channels"
    )


def _series(values: np.ndarray, channels: tuple[str, ...], fps: float | None) -> Series:
    return Series(
        values=values,
        channels=channels,
        valid=values.any(axis=1) & np.isfinite(values).all(axis=1),
        fps=fps,
        seconds=np.arange(len(values)) / fps if fps else None,
    )


def _check_order(values: np.ndarray, path: Path) -> None:
    faces = values[values.any(axis=1)]
    if len(faces) and (np.diff(np.nanmean(faces, axis=0)[:_JAW]) > 0).all():
        raise UnreadableSeries(
            f"{path}: the first {_JAW} columns grow like the x of a jaw line, so this array has all x before "
            "all y; D-Vlog's come as x, y, x, y: reorder the columns"
        )
