"""Fingerprints of signals: a few bytes that survive re-saving, another format, noise, a spike and a shift.

After J. Haitsma and T. Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002: a few curves over
time, compared at every shift; theirs keep signs, ours keep 8 bits, as our signals are short. Of a series
they are the channels whose names have the smallest digests, so that files with some of the same channels
share some of the curves (A. Broder, "On the resemblance and containment of documents", 1997). Of a video
they are projections of the gray level of its fields. Letters: `T` rows, `F` channels, `S` steps, `D` curves.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter

# All our choices; `studies.leaks.near_duplicates` measures what they find.
RATE = 10  # steps/s
LONGEST_S = {"series": 60.0, "video": 20.0}  # of the beginning
CURVES = 8
_BLUR_S = 0.1  # a shift by half a step must not matter
_EDGE = 2  # steps at either end that the blur cannot know
_RESTING = 0.002  # gray level: of a picture that moves less, only noise would be compared
_LEVELS = 24.0  # levels a standard deviation
_NEIGHBORS = 5  # rows
_COMMON = 0.98  # of the rows stand out from their neighbors no further
_SPIKE = 2.0  # times as far is no behavior


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """Steps int8 (S, D), none where nothing can be compared, and a digest of the name of each curve.

    A curve that rests is 0 throughout.
    """

    steps: NDArray[np.int8]
    names: tuple[str, ...]


NOTHING = Fingerprint(np.zeros((0, 0), dtype=np.int8), ())


def fingerprint(
    values: NDArray[np.floating], channels: Sequence[str], *, valid: NDArray[np.bool_], fps: float, kind: str
) -> Fingerprint:
    """Fingerprint of a signal (T, F); nothing where it is too short, constant or mostly missing.

    Args:
        values: The signal.
        channels: Names of its channels, in any order.
        valid: Rows that were measured.
        fps: Rows per second.
        kind: "series" or "video", of which the channels are the gray level of fields.
    """
    rows = int(LONGEST_S[kind] * fps)
    valid = valid[:rows]
    count = int((len(valid) - 1) / fps * RATE) + 1
    if valid.sum() < 2 or valid.mean() < 0.5 or count < 2:
        return NOTHING
    places, names = _chosen(tuple(channels)) if kind == "series" else (list(range(len(channels))), ())
    signal = _filled(np.asarray(values[:rows, places], dtype=np.float64), valid)
    if kind == "series":
        curves = _channels(signal)
    else:
        curves = _projections(signal)
        names = tuple(f"{number:08x}" for number in range(curves.shape[1]))
    smooth = gaussian_filter1d(curves, _BLUR_S * fps, axis=0, mode="nearest")
    times, place = np.arange(count) / RATE * fps, np.arange(len(smooth))
    steps = np.stack([np.interp(times, place, column) for column in smooth.T], axis=1)
    steps = steps[_EDGE:-_EDGE] - steps.mean(axis=0)
    scale = steps.std() if len(steps) else 0.0
    if not scale > 0:
        return NOTHING
    return Fingerprint(np.clip(np.round(steps / scale * _LEVELS), -127, 127).astype(np.int8), names)


def _filled(values: NDArray[np.float64], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    if valid.all():
        return values
    place = np.arange(len(values))
    return np.stack([np.interp(place, place[valid], column[valid]) for column in values.T], axis=1)


def _channels(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Channels (T, D) without their spikes, each in units of its spread; 0 where one rests."""
    near = median_filter(values, size=(_NEIGHBORS, 1), mode="nearest")
    apart = values - near
    limit = _SPIKE * np.quantile(np.abs(apart), _COMMON, axis=0, method="lower")
    values = near + np.clip(apart, -limit, limit)
    spread = values.std(axis=0)
    moving = spread > 1e-6 * np.abs(values).max(axis=0) + 1e-12
    return np.where(moving, (values - values.mean(axis=0)) / np.where(moving, spread, 1.0), 0.0)


def _projections(fields: NDArray[np.float64]) -> NDArray[np.float64]:
    """Projections (T, D) of the fields of a picture that move."""
    spread = fields.std(axis=0)
    moving = spread > _RESTING * 255
    if not moving.any():
        return np.zeros((len(fields), CURVES))
    # one unit for all: where little moves compression decides, which must not count as much
    moved = (fields[:, moving] - fields[:, moving].mean(axis=0)) / spread.max()
    return np.asarray(moved @ _signs(tuple(np.flatnonzero(moving).tolist())))


def by_digest(channels: Sequence[str]) -> list[str]:
    """Names in the order of their digests, in which curves are chosen."""
    return sorted(channels, key=_digest)


@lru_cache(maxsize=64)
def _chosen(channels: tuple[str, ...]) -> tuple[list[int], tuple[str, ...]]:
    """Places and digests of the channels whose names have the smallest digests."""
    names = by_digest(channels)[:CURVES]
    return [channels.index(name) for name in names], tuple(map(_digest, names))


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]


@lru_cache(maxsize=64)
def _signs(fields: tuple[int, ...]) -> NDArray[np.float64]:
    """Weights (F, D) of -1 and 1 by the places of fields."""
    digests = [hashlib.sha256(f"field_{place}".encode()).digest()[:CURVES] for place in fields]
    return np.array([[1.0 if byte & 1 else -1.0 for byte in digest] for digest in digests])
