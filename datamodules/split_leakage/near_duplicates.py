"""Near-duplicate recordings: equal files, and content that was saved again, shifted or made noisy."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import uniform_filter1d

from datamodules.manifests.manifest import Manifest
from datamodules.split_leakage.file_content import BY_BYTES, Content, contents
from datamodules.split_leakage.fingerprint import RATE, Fingerprint
from datamodules.wording import first_few

_log = logging.getLogger(__name__)

# All our choices; `studies.leaks.near_duplicates` measures what they find.
ALIKE = 0.9  # correlation of two fingerprints
_SIGMAS = 6.0  # that correlation by chance, in standard deviations of Fisher's z
_CANDIDATE = 0.5  # correlation before lengths are compared
TREND_S = 2  # slower movements are alike by chance
OVERLAP = 0.4  # of the shorter one
_FEWEST = 15  # steps in common
_CURVES = 2  # in common, or all of one
_MEMORY = 2**20  # numbers that a comparison of all pairs and shifts holds at once


@dataclass(frozen=True, order=True)
class Pair:
    """Two recordings of one content; `why` says in words what they share, 1 is the correlation of a file."""

    first: str
    second: str
    why: str
    correlation: float = 1.0


def similarity(a: Fingerprint, b: Fingerprint, *, near: int | None = None) -> float:
    """Correlation of two fingerprints at their best shift, 0 where it may be chance or cannot be told.

    Compared are the curves of one name that move in both. The correlation counts if Fisher's z exceeds six of
    its standard deviations, with as many independent values as the product of the autocorrelations leaves
    (Bartlett 1935).

    Args:
        a: One.
        b: The other.
        near: Look only around this shift of `a`, in steps.
    """
    first, second = _common(a, b)
    lags = range(1 - len(second), len(first)) if near is None else range(near - 1, near + 2)
    best, where = 0.0, 0
    # on the overlap alone: `_candidates` takes trend and length of whole curves, whatever overlaps
    for lag in lags:
        x, y = _overlap(first, second, lag)
        if len(x) < max(_FEWEST, OVERLAP * min(len(first), len(second))):
            continue
        value = float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum() + 1e-9))
        if value > best:
            best, where = value, lag
    if best < ALIKE:
        return 0.0
    x, y = _overlap(first, second, where)
    # Neighboring steps are not independent, so fewer values count than there are steps.
    deviations = np.arctanh(min(best, 0.9999)) * np.sqrt(max(_independent(x, y) - 3, 0.0))
    return best if deviations >= _SIGMAS else 0.0


def _common(a: Fingerprint, b: Fingerprint) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """The curves of one name that move in both, (S, C) each; of no steps where these are too few."""
    moving = [{name: at for at, name in enumerate(one.names) if one.steps[:, at].any()} for one in (a, b)]
    names = [name for name in moving[0] if name in moving[1]]
    if len(names) < min(_CURVES, *map(len, moving)) or not names:
        return a.steps[:0], b.steps[:0]
    return a.steps[:, [moving[0][name] for name in names]], b.steps[:, [moving[1][name] for name in names]]


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
    # curves that move together are no independent evidence: the participation ratio counts how many do not
    spectrum = np.linalg.eigvalsh(x.T @ x)
    rank = spectrum.sum() ** 2 / max(float((spectrum**2).sum()), 1e-9)
    length = len(x)
    tails = 1.0
    for lag in range(1, min(length // 2, RATE) + 1):
        rho = [(one[lag:] * one[:-lag]).sum() / max(float((one * one).sum()), 1e-9) for one in (x, y)]
        tails += 2 * (1 - lag / length) * float(rho[0] * rho[1])
    return float(length * rank / max(tails, 1.0))


def alike(
    first: Sequence[Fingerprint], second: Sequence[Fingerprint] | None = None
) -> list[tuple[int, int, float]]:
    """Pairs `(i, j, correlation)` of fingerprints that show the same, within `first` or with `second`.

    Every shift of all pairs is a Fourier transform; whatever is near enough there is then looked at closely.
    """
    others = first if second is None else second
    found = []
    for names, ours in _by_names(first).items():
        for theirs_names, theirs in _by_names(others).items():
            shared = [name for name in names if name in theirs_names]
            # Within one list, each pair of groups would come up twice; their first members tell the order.
            if not shared or (second is None and theirs[0] < ours[0]):
                continue
            left = _padded([first[i] for i in ours], shared)
            right = _padded([others[j] for j in theirs], shared)
            same = second is None and names == theirs_names
            for row, column, shift in _candidates(left, right, within=same):
                i, j = ours[row], theirs[column]
                value = similarity(first[i], others[j], near=shift)
                if value:
                    found.append((*(sorted((i, j)) if second is None else (i, j)), value))
    return found


def _by_names(prints: Sequence[Fingerprint]) -> dict[tuple[str, ...], list[int]]:
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, one in enumerate(prints):
        groups[one.names].append(number)
    return groups


def _candidates(
    left: NDArray[np.float32], right: NDArray[np.float32], *, within: bool
) -> Iterator[tuple[int, int, int]]:
    """Pairs of (N, S, D) and (M, S', D) that correlate at some shift, and that shift of the first.

    `within` says that both are the same, of which each pair is wanted once.
    """
    # Room for both lengths, as the transform is circular: ends must not be compared with beginnings.
    size = next_fast_len(left.shape[1] + right.shape[1], real=True)
    spectra = [rfft(one, size, axis=1).transpose(1, 0, 2) for one in (left, right)]
    block = max(1, int(np.sqrt(_MEMORY / size)))
    for top in range(0, len(left), block):
        for start in range(top if within else 0, len(right), block):
            ours, theirs = spectra[0][:, top : top + block], spectra[1][:, start : start + block]
            values = irfft(ours @ theirs.conj().transpose(0, 2, 1), size, axis=0)
            for row, column in np.argwhere(values.max(axis=0) > _CANDIDATE).tolist():
                if within and top + row >= start + column:
                    continue
                shift = int(values[:, row, column].argmax())
                yield top + row, start + column, shift if shift < left.shape[1] else shift - size


def _padded(prints: Sequence[Fingerprint], names: Sequence[str]) -> NDArray[np.float32]:
    """Curves of these names (N, S, D), of length 1 as vectors, with zeros behind the shorter ones."""
    out = np.zeros((len(prints), max(len(one.steps) for one in prints), len(names)), dtype=np.float32)
    for row, one in zip(out, prints, strict=True):
        row[: len(one.steps)] = _quick(one.steps[:, [one.names.index(name) for name in names]])
    norms = np.sqrt((out**2).sum(axis=(1, 2), keepdims=True))
    unit: NDArray[np.float32] = out / np.maximum(norms, 1e-9)
    return unit


def false_hashes(manifest: Manifest) -> list[str]:
    """Recordings whose stated `content_hash` is the digest of none of their files."""
    if "content_hash" not in manifest.table:
        return []
    stated = dict(zip(manifest.table["recording_id"], manifest.table["content_hash"], strict=True))
    return [
        name
        for name, own in contents(manifest).items()
        if own and stated[name] and stated[name].lower() not in {one.sha256 for one in own}
    ]


def hash_fault(manifest: Manifest) -> str:
    """What is wrong with the `content_hash` of a table, and what mends it; empty where nothing is."""
    false = false_hashes(manifest)
    if not false:
        return ""
    if any(one.tokens_path for one in manifest.recordings(false)):
        remedy = "copy the store again, or delete these files and give the command of encode.py once more"
    else:
        remedy = "copy the file again, or drop the column to have it computed where it was filled by hand"
    return f"'content_hash' of {first_few(false)} is not the SHA-256 of the file; {remedy}"


def duplicates(manifest: Manifest) -> list[Pair]:
    """Pairs of recordings of a manifest that show the same; what could not be compared is logged."""
    known = contents(manifest)
    report_uncompared(known)
    return pairs_of(known)


def report_uncompared(known: Mapping[str, Sequence[Content]]) -> None:
    """Name recordings with a file that was compared by its bytes only, as tokens and feature sets are."""
    short = {
        name: [one for one in own if len(one.shown.steps) < _FEWEST and one.kind not in BY_BYTES]
        for name, own in known.items()
    }
    told = [name for name, own in short.items() if own]
    for kind in BY_BYTES:
        if count := sum(any(one.kind == kind for one in own) for own in known.values()):
            _log.info("%d recording(s) have %s, which are compared with others by their bytes", count, kind)
    if told:
        _log.warning(
            "%d recording(s) have a file that was compared with others by its bytes only, because it is too "
            "short, still, mostly unmeasured or cannot be read, e.g. %s: the same content saved again would "
            "not be found",
            len(told),
            ", ".join(told[:5]),
        )


def pairs_of(
    known: Mapping[str, Sequence[Content]], new: Mapping[str, Sequence[Content]] | None = None
) -> list[Pair]:
    """Pairs of recordings that share a content: within `known`, or one of `known` and one of `new`."""
    found: dict[tuple[str, str], Pair] = {}

    def add(one: str, other: str, why: str, correlation: float = 1.0) -> None:
        if new is None:
            one, other = sorted((one, other))
        if new is not None or one != other:  # files of one recording may be alike
            found.setdefault((one, other), Pair(one, other, why, correlation))

    left = [(name, one) for name, own in known.items() for one in own]
    right = left if new is None else [(name, one) for name, own in new.items() for one in own]
    owners: dict[str, list[str]] = defaultdict(list)
    for name, one in left:
        owners[one.sha256].append(name)
    for name, one in right:
        for other in owners[one.sha256]:
            add(other, name, "the same file")
    for kind in ("series", "video"):
        ours, theirs = (
            [(name, one.shown) for name, one in side if one.kind == kind and len(one.shown.steps)]
            for side in (left, right)
        )
        shown = [one for _, one in ours]
        for i, j, value in alike(shown, None if new is None else [one for _, one in theirs]):
            add(ours[i][0], theirs[j][0], f"nearly the same content (correlation {value:.3f})", value)
    return sorted(found.values())
