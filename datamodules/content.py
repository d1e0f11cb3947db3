"""What a file shows, in a few bytes: a fingerprint that survives saving, another format, noise and a shift.

After J. Haitsma and T. Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002: a few
projections of the signal over time, compared at every shift; theirs keep signs, ours keep 8 bits, as our
signals are short. Of a video the signal is the gray level of 8 x 8 fields. Letters: `T` rows, `F` channels,
`S` steps, `D` projections.
"""

import base64
import hashlib
import json
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from datamodules.probe import _HEADERS
from datamodules.readers import UnreadableVideo, open_video
from datamodules.series import UnreadableSeries, is_series, read_series

if TYPE_CHECKING:
    from datamodules.manifest import Manifest

_log = logging.getLogger(__name__)

# All our choices; `benchmarks.near_duplicates` measures what they find.
RATE = 10  # steps/s
_WIDTH = 4  # projections
_BLUR_S = 0.1  # a shift by half a step must not matter
_EDGE = 2  # steps at either end that the blur cannot know
_LONGEST_S = {"series": 60.0, "video": 20.0}  # of the beginning
_FIELDS = 8  # by 8 fields of a picture
_RESTING = 0.002  # gray level: of a picture that moves less, only noise would be compared
_LEVELS = 24.0  # levels a standard deviation
_FORMAT = 2  # raise it when a fingerprint changes
_THREADS = 4


@dataclass(frozen=True, eq=False)
class Content:
    """Digest of a file's bytes, and its fingerprint int8 (S, D), of no steps where nothing can be compared.

    `kind` is "series" or "video"; only contents of one kind are compared.
    """

    sha256: str
    kind: str
    steps: NDArray[np.int8]

    def packed(self) -> dict[str, str]:
        """The content as plain text."""
        data = base64.b64encode(self.steps.tobytes()).decode()
        return {"sha256": self.sha256, "kind": self.kind, "steps": data}

    @staticmethod
    def unpacked(stored: dict[str, str]) -> "Content":
        """The content that `packed` wrote.

        Raises:
            ValueError: It is another text.
        """
        data = np.frombuffer(base64.b64decode(stored["steps"], validate=True), dtype=np.int8)
        return Content(str(stored["sha256"]), str(stored["kind"]), data.reshape(-1, _WIDTH))


def fingerprint(
    values: NDArray[np.floating], channels: Sequence[str], *, valid: NDArray[np.bool_], fps: float, kind: str
) -> NDArray[np.int8]:
    """Fingerprint (S, D) of a signal (T, F); no steps where it is too short, constant or mostly missing."""
    nothing = np.zeros((0, _WIDTH), dtype=np.int8)
    rows = int(_LONGEST_S[kind] * fps)
    values, valid = np.asarray(values[:rows], dtype=np.float64), valid[:rows]
    if valid.sum() < 2 or valid.mean() < 0.5:
        return nothing
    place = np.arange(len(values))
    if not valid.all():
        columns = [np.interp(place, place[valid], column[valid]) for column in values.T]
        values = np.stack(columns, axis=1)
    spread = values.std(axis=0)
    moving = spread > (_RESTING * 255 if kind == "video" else 1e-6 * np.abs(values).max(axis=0) + 1e-12)
    count = int((len(values) - 1) / fps * RATE) + 1
    if not moving.any() or count < 2:
        return nothing
    # fields of a picture have one unit: where little moves compression decides, which must not count as much
    unit = spread[moving] if kind == "series" else spread.max()
    signal = (values[:, moving] - values[:, moving].mean(axis=0)) / unit
    signal = signal @ _signs(tuple(np.array(channels, dtype=str)[moving].tolist()))
    smooth = gaussian_filter1d(signal, _BLUR_S * fps, axis=0, mode="nearest")
    times = np.arange(count) / RATE * fps
    steps = np.stack([np.interp(times, place, column) for column in smooth.T], axis=1)
    steps = steps[_EDGE:-_EDGE] - steps.mean(axis=0)
    scale = steps.std() if len(steps) else 0.0
    if not scale > 0:
        return nothing
    levels: NDArray[np.int8] = np.clip(np.round(steps / scale * _LEVELS), -127, 127).astype(np.int8)
    return levels


@lru_cache(maxsize=64)
def _signs(channels: tuple[str, ...]) -> NDArray[np.float64]:
    """Weights (F, D) of -1 and 1 by the names of channels, whatever their order."""
    digests = [hashlib.sha256(name.encode()).digest()[:_WIDTH] for name in channels]
    return np.array([[1.0 if byte & 1 else -1.0 for byte in digest] for digest in digests])


def contents(manifest: "Manifest", ids: Sequence[str] | None = None) -> dict[str, list[Content]]:
    """Contents of the files of recordings, by id; a file that cannot be read has none but its digest."""
    if manifest.root is None or "path" not in manifest.table:
        return {}
    recordings = manifest.recordings(ids)
    files = {
        one.recording_id: [
            file for file in (one.path, one.series_path, one.landmark_path) if file is not None
        ]
        for one in recordings
    }
    rates = {file: one.fps for one in recordings for file in files[one.recording_id]}
    there = [file for file in rates if file.is_file()]
    with ThreadPoolExecutor(_THREADS) as pool:
        found = dict(zip(there, pool.map(lambda file: content_of(file, rates[file]), there), strict=True))
    return {name: [found[file] for file in own if file in found] for name, own in files.items()}


def content_of(file: Path, fps: float = 0.0) -> Content:
    """Content of one file, from the user's cache if it is there; `fps` serves a series without a clock."""
    status = file.stat()
    return _content(file.resolve(), status.st_size, status.st_mtime_ns, fps)


@lru_cache(maxsize=20_000)
def _content(file: Path, size: int, mtime_ns: int, fps: float) -> Content:
    key = hashlib.sha256(f"{_FORMAT}|{file}|{size}|{mtime_ns}|{fps:g}".encode()).hexdigest()
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    stored = root / "euthymia" / "content" / f"{key}.json"
    try:
        return Content.unpacked(json.loads(stored.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not stored yet, or damaged: make it again
    found = _made(file, fps)
    partial = stored.with_suffix(f".{os.getpid()}.part")
    try:
        stored.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(found.packed()), encoding="utf-8")
        partial.replace(stored)
    except OSError as fault:
        _log.debug("fingerprint of %s is kept in memory only: %s", file, fault)
    return found


def _made(file: Path, fps: float) -> Content:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    kind = "series" if is_series(file) else "video"
    try:
        steps = _of_series(file, fps) if kind == "series" else _of_video(file)
    except (UnreadableSeries, UnreadableVideo, ValueError, OSError) as fault:  # named where it is needed
        _log.debug("%s has no fingerprint: %s", file, fault)
        steps = np.zeros((0, _WIDTH), dtype=np.int8)
    return Content(digest, kind, steps)


def _of_series(file: Path, fps: float) -> NDArray[np.int8]:
    with _HEADERS:
        series = read_series(file, channels=None, fps=fps or None)
    rate = series.fps or 25.0  # without any clock; two copies are taken alike
    return fingerprint(series.values, series.channels, valid=series.valid, fps=rate, kind="series")


def _of_video(file: Path) -> NDArray[np.int8]:
    with open_video(file) as video:
        rate = video.fps or 25.0
        count = min(video.n_frames, int(_LONGEST_S["video"] * rate))
        steps = np.unique(np.round(np.arange(int(count / rate * RATE)) / RATE * rate).astype(int))
        steps = steps[steps < count]
        fields = [
            _gray(video.frames(steps[at : at + 50].tolist()).numpy()) for at in range(0, len(steps), 50)
        ]
    values = np.concatenate(fields)
    names = [f"field_{number}" for number in range(values.shape[1])]
    every = np.ones(len(values), dtype=bool)
    return fingerprint(values, names, valid=every, fps=min(rate, RATE), kind="video")


def _gray(frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean gray level of the fields of pictures uint8 (T, 3, H, W): (T, 64)."""
    gray = frames.mean(axis=1, dtype=np.float32)
    rows, columns = (np.linspace(0, side, _FIELDS + 1).astype(int)[:-1] for side in gray.shape[1:])
    sums = np.add.reduceat(np.add.reduceat(gray, rows, axis=1), columns, axis=2)
    area = np.outer(np.diff([*rows, gray.shape[1]]), np.diff([*columns, gray.shape[2]]))
    fields: NDArray[np.float64] = (sums / area).reshape(len(gray), -1).astype(np.float64)
    return fields
