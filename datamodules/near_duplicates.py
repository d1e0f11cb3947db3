"""Recordings that show the same: equal files, and files that were saved again, shifted or made noisy."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from datamodules.content import RATE, Content, contents

if TYPE_CHECKING:
    from datamodules.manifest import Manifest

_log = logging.getLogger(__name__)

# All our choices; `benchmarks.near_duplicates` measures what they find.
LONGEST_SHIFT_S = 3.0
ALIKE = 0.9  # correlation of two fingerprints
_SIGMAS = 6.0  # that correlation by chance, in standard deviations of Fisher's z
_CANDIDATE = 0.5  # correlation before lengths are compared
TREND_S = 2  # slower movements are alike by chance
_OVERLAP = 0.5  # of the shorter one
_FEWEST = 15  # steps in common
_BLOCK = 512  # recordings compared at once


@dataclass(frozen=True, order=True)
class Pair:
    """Two recordings of one content; `why` says in words what they share."""

    first: str
    second: str
    why: str


def similarity(a: NDArray[np.int8], b: NDArray[np.int8], *, near: int | None = None) -> float:
    """Correlation of two fingerprints at their best shift, 0 where it may be chance or cannot be told.

    The correlation counts if Fisher's z exceeds six of its standard deviations, with as many independent
    values as the product of the autocorrelations leaves (Bartlett 1935).

    Args:
        a: Steps (S, D).
        b: Likewise.
        near: Look only around this shift of `a`, in steps.
    """
    reach = int(LONGEST_SHIFT_S * RATE)
    lags = range(-reach, reach + 1) if near is None else range(near - 1, near + 2)
    best, where = 0.0, 0
    for lag in lags:
        x, y = _overlap(a, b, lag)
        if len(x) < max(_FEWEST, _OVERLAP * min(len(a), len(b))):
            continue
        value = float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum() + 1e-9))
        if value > best:
            best, where = value, lag
    if best < ALIKE:
        return 0.0
    x, y = _overlap(a, b, where)
    deviations = np.arctanh(min(best, 0.9999)) * np.sqrt(max(_independent(x, y) - 3, 0.0))
    return best if deviations >= _SIGMAS else 0.0


def _overlap(
    a: NDArray[np.int8], b: NDArray[np.int8], lag: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = a[max(lag, 0) :], b[max(-lag, 0) :]
    length = min(len(x), len(y))
    return _quick(x[:length]), _quick(y[:length])


def _quick(steps: NDArray[np.int8]) -> NDArray[np.float64]:
    """What is faster than the trend, which may be alike by chance."""
    values = steps.astype(np.float64)
    trend = uniform_filter1d(values, TREND_S * RATE, axis=0, mode="nearest")
    return np.asarray(values - trend, dtype=np.float64)


def _independent(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Independent values in the overlap (S, D): steps by Bartlett's formula, times the rank that matters."""
    spectrum = np.linalg.eigvalsh(x.T @ x)
    rank = spectrum.sum() ** 2 / max(float((spectrum**2).sum()), 1e-9)
    length = len(x)
    tails = 1.0
    for lag in range(1, min(length // 2, RATE) + 1):
        rho = [(one[lag:] * one[:-lag]).sum() / max(float((one * one).sum()), 1e-9) for one in (x, y)]
        tails += 2 * (1 - lag / length) * float(rho[0] * rho[1])
    return float(length * rank / max(tails, 1.0))


def alike(
    first: Sequence[NDArray[np.int8]], second: Sequence[NDArray[np.int8]] | None = None
) -> list[tuple[int, int, float]]:
    """Pairs `(i, j, correlation)` of fingerprints that show the same, within `first` or with `second`.

    Every shift of all pairs is a matrix product; whatever is near enough there is then looked at closely.
    """
    within = second is None
    others = first if second is None else second
    if not first or not others:
        return []
    length = max(len(one) for one in (*first, *others))
    ours, theirs = _padded(first, length), _padded(others, length)
    found = []
    for start in range(0, len(ours), _BLOCK):
        best, where = _best_shifts(ours[start : start + _BLOCK], theirs)
        for i, j in np.argwhere(best > _CANDIDATE).tolist():
            if within and start + i >= j:
                continue
            value = similarity(first[start + i], others[j], near=int(where[i, j]))
            if value:
                found.append((start + i, j, value))
    return found


def _best_shifts(
    block: NDArray[np.float32], others: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Best correlation of every pair, and the shift of the first in steps."""
    length = block.shape[1]
    best = np.zeros((len(block), len(others)), dtype=np.float32)
    where = np.zeros(best.shape, dtype=np.int16)
    reach = min(int(LONGEST_SHIFT_S * RATE), length - 1)
    for lag in range(-reach, reach + 1):
        kept = length - abs(lag)
        x = block[:, lag:] if lag >= 0 else block[:, :kept]
        y = others[:, :kept] if lag >= 0 else others[:, -lag:]
        value = _flat(x) @ _flat(y).T
        better = value > best
        best[better], where[better] = value[better], lag
    return best, where


def _padded(steps: Sequence[NDArray[np.int8]], length: int) -> NDArray[np.float32]:
    """All fingerprints (N, S, D), of length 1 as vectors, with zeros behind the shorter ones."""
    out = np.zeros((len(steps), length, steps[0].shape[1]), dtype=np.float32)
    for row, one in zip(out, steps, strict=True):
        row[: len(one)] = _quick(one)
    norms = np.sqrt((out**2).sum(axis=(1, 2), keepdims=True))
    unit: NDArray[np.float32] = out / np.maximum(norms, 1e-9)
    return unit


def _flat(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values).reshape(len(values), -1)


def false_hashes(manifest: "Manifest") -> list[str]:
    """Recordings whose stated `content_hash` is the digest of none of their files."""
    if "content_hash" not in manifest.table:
        return []
    stated = dict(zip(manifest.table["recording_id"], manifest.table["content_hash"], strict=True))
    return [
        name
        for name, own in contents(manifest).items()
        if own and stated[name] and stated[name].lower() not in {one.sha256 for one in own}
    ]


def duplicates(manifest: "Manifest") -> list[Pair]:
    """Pairs of recordings of a manifest that show the same; what cannot be told is not among them."""
    return pairs_of(contents(manifest))


def pairs_of(
    known: Mapping[str, Sequence[Content]], new: Mapping[str, Sequence[Content]] | None = None
) -> list[Pair]:
    """Pairs of recordings that share a content: within `known`, or one of `known` and one of `new`."""
    found: dict[tuple[str, str], Pair] = {}
    for kind in ("series", "video"):
        left = [(name, one) for name, own in known.items() for one in own if one.kind == kind]
        right = None
        if new is not None:
            right = [(name, one) for name, own in new.items() for one in own if one.kind == kind]
        by_digest: dict[str, list[str]] = defaultdict(list)
        for name, one in left:
            by_digest[one.sha256].append(name)
        for name, one in left if right is None else right:
            for other in by_digest[one.sha256]:
                if right is not None or other < name:
                    found[other, name] = Pair(other, name, "the same file")
        ours = [pair for pair in left if len(pair[1].steps)]
        theirs = ours if right is None else [pair for pair in right if len(pair[1].steps)]
        near = alike(
            [one.steps for _, one in ours], None if right is None else [one.steps for _, one in theirs]
        )
        for i, j, value in near:
            key = ours[i][0], theirs[j][0]
            if right is None and key[0] == key[1]:
                continue
            if right is None and key[0] > key[1]:
                key = key[1], key[0]
            found.setdefault(key, Pair(*key, f"nearly the same content (correlation {value:.3f})"))
    return sorted(found.values())
