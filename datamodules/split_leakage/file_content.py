"""Content of files as digest and fingerprint, kept in the user's cache; of videos by 8 x 8 gray fields."""

import base64
import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.probing import HEADERS, sha256
from datamodules.readers import UnreadableVideo, open_video
from datamodules.series import Series, UnreadableSeries, is_series, offered_channels, read_series
from datamodules.series.feature_set import is_feature_set
from datamodules.split_leakage.fingerprint import (
    CURVES,
    LONGEST_S,
    NOTHING,
    RATE,
    Fingerprint,
    by_digest,
    fingerprint,
)

_log = logging.getLogger(__name__)

_FIELDS = 8  # by 8 fields of a picture, our choice
_BLACK = 2.0  # gray levels; a picture without a brighter field shows nothing, our choice
_FORMAT = 4  # raise it when a fingerprint changes
_THREADS = 4
BY_BYTES = ("tokens", "features")
"""Kinds without a fingerprint: what an extractor saw cannot be told from them."""
_TRIED = 16  # channels of a refused file, our choice: each may be a pass over the whole file


@dataclass(frozen=True, eq=False)
class Content:
    """Digest of a file's bytes, and its fingerprint (without steps where nothing can be compared).

    `kind` is "series", "video", or one of `BY_BYTES`; only fingerprints of one kind are compared.
    """

    sha256: str
    kind: str
    shown: Fingerprint

    def packed(self) -> dict[str, Any]:
        """The content as plain text and lists."""
        data = base64.b64encode(self.shown.steps.tobytes()).decode()
        return {"sha256": self.sha256, "kind": self.kind, "steps": data, "names": list(self.shown.names)}

    @staticmethod
    def unpacked(stored: Mapping[str, Any]) -> "Content":
        """The content that `packed` wrote.

        Raises:
            ValueError: It is another text.
        """
        names = tuple(str(name) for name in stored["names"])
        data = np.frombuffer(base64.b64decode(stored["steps"], validate=True), dtype=np.int8)
        if len(names) > CURVES or len(data) > len(names) * max(LONGEST_S.values()) * RATE:
            raise ValueError(f"{len(data)} steps of {len(names)} curves are no fingerprint")
        shown = Fingerprint(data.reshape(-1, len(names)), names) if names else NOTHING
        return Content(str(stored["sha256"]), str(stored["kind"]), shown)


def contents(manifest: Manifest, ids: Sequence[str] | None = None) -> dict[str, list[Content]]:
    """Contents of the files of recordings, by id; a file that cannot be read has none but its digest."""
    if manifest.root is None or "path" not in manifest.table:
        return {}
    recordings = manifest.recordings(ids)
    files = {
        one.recording_id: [
            file
            for file in (
                one.path,
                one.series_path,
                one.landmark_path,
                one.tokens_path,
                *one.features.values(),
            )
            if file
        ]
        for one in recordings
    }
    rates = {file: one.fps for one in recordings for file in files[one.recording_id]}
    there = [file for file in rates if file.is_file()]
    with ThreadPoolExecutor(_THREADS) as pool:
        found = dict(zip(there, pool.map(lambda file: content_of(file, rates[file]), there), strict=True))
    return {name: [found[file] for file in own if file in found] for name, own in files.items()}


def content_of(file: Path, fps: float = 0.0) -> Content:
    """Content of one file, from the user's cache if it is there; `fps` serves a series without a clock.

    A file is read once for its place, size and time of modification. What was changed with its size kept and
    its time set back, and bytes that a failing disk turned after they were read, are not seen.
    """
    status = file.stat()
    return _content(file.resolve(), status.st_size, status.st_mtime_ns, fps)


@lru_cache(maxsize=20_000)
def _content(file: Path, size: int, mtime_ns: int, fps: float) -> Content:
    key = hashlib.sha256(f"{_FORMAT}|{file}|{size}|{mtime_ns}|{fps:g}".encode()).hexdigest()
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    stored = root / "euthymia" / "content" / f"{key}.json"
    try:
        known = Content.unpacked(json.loads(stored.read_text(encoding="utf-8")))
        return replace(known, kind=_kind(file))  # tokens were kept as a video once
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


def _kind(file: Path) -> str:
    if file.suffix == ".npy":
        return "tokens"
    if file.suffix == ".npz" and is_feature_set(file):
        return "features"
    return "series" if is_series(file) else "video"


def _made(file: Path, fps: float) -> Content:
    kind = _kind(file)
    if kind in BY_BYTES:
        return Content(sha256(file), kind, NOTHING)
    try:
        shown = _of_series(file, fps) if kind == "series" else _of_video(file)
    except (UnreadableSeries, UnreadableVideo, ValueError, OSError) as fault:  # named where it is needed
        _log.debug("%s has no fingerprint: %s", file, fault)
        shown = NOTHING
    return Content(sha256(file), kind, shown)


def _of_series(file: Path, fps: float) -> Fingerprint:
    with HEADERS:  # threads read other files at the same time
        try:
            series = read_series(file, channels=None, fps=fps or None)
        except (UnreadableSeries, LeakageError) as fault:
            # a fault of one channel, or its name, must not hide a copy: others may be read by name
            series = _readable(file, fps, fault)
    rate = series.fps or 25.0  # without any clock; two copies are taken alike
    return fingerprint(series.values, series.channels, valid=series.valid, fps=rate, kind="series")


def _readable(file: Path, fps: float, fault: ValueError) -> Series:
    """The channels that a fingerprint would take, one by one, without those that are refused.

    Raises:
        ValueError: `fault`, where none can be read.
    """
    found = []
    for name in by_digest(offered_channels(file))[:_TRIED]:
        try:
            found.append(read_series(file, channels=[name], fps=fps or None))
        except (UnreadableSeries, LeakageError) as refused:
            _log.debug("%s: no fingerprint of channel %r: %s", file, name, refused)
        if len(found) == CURVES:
            break
    if not found:
        raise fault
    return replace(
        found[0],
        values=np.concatenate([one.values for one in found], axis=1),
        channels=tuple(one.channels[0] for one in found),
        valid=np.all([one.valid for one in found], axis=0),
    )


def _of_video(file: Path) -> Fingerprint:
    with open_video(file) as video:
        # the nearest frames of a fixed clock: a copy at another frame rate shows the same steps
        rate = video.fps or 25.0
        count = min(video.n_frames, int(LONGEST_S["video"] * rate))
        steps = np.unique(np.round(np.arange(int(count / rate * RATE)) / RATE * rate).astype(int))
        steps = steps[steps < count]
        fields = [
            _gray(video.frames(steps[at : at + 50].tolist()).numpy()) for at in range(0, len(steps), 50)
        ]
    values = np.concatenate(fields)
    names = [f"field_{number}" for number in range(values.shape[1])]
    # a clip is black where no face was found, and all such gaps look alike
    shown = values.max(axis=1) >= _BLACK
    return fingerprint(values, names, valid=shown, fps=min(rate, RATE), kind="video")


def _gray(frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean gray level of the fields of pictures uint8 (T, 3, H, W): (T, 64)."""
    gray = frames.mean(axis=1, dtype=np.float32)
    rows, columns = (np.linspace(0, side, _FIELDS + 1).astype(int)[:-1] for side in gray.shape[1:])
    sums = np.add.reduceat(np.add.reduceat(gray, rows, axis=1), columns, axis=2)
    area = np.outer(np.diff([*rows, gray.shape[1]]), np.diff([*columns, gray.shape[2]]))
    fields: NDArray[np.float64] = (sums / area).reshape(len(gray), -1).astype(np.float64)
    return fields
