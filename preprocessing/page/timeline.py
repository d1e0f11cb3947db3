"""Timeline of a recording: when frames are lost, and for what reason, in a few letters."""

import itertools
from collections.abc import Mapping

import numpy as np

from preprocessing.quality.gate import REASONS, Verdict

PARTS = 120
"""Parts of a recording that are told apart: our choice, what a strip on a page can show."""
FULL = 9


def timeline(verdict: Verdict) -> dict[str, str]:
    """For each reason that occurs a digit a part of the recording: ninths of its frames that are lost.

    A frame counts for the first of `REASONS` that speaks against it, so that the digits of a part add up to
    what is lost. Any loss is at least 1, and 9 is the whole part.
    """
    total = len(verdict.usable)
    if total == 0:
        return {}
    parts = np.arange(total) * min(total, PARTS) // total
    taken = np.zeros(total, bool)
    found = {}
    for reason in sorted(verdict.reasons, key=_rank):
        lost = verdict.reasons[reason] & ~taken
        taken |= lost
        if lost.any():
            counts = np.bincount(parts, lost).astype(int)
            found[reason] = "".join(map(str, -(-FULL * counts // np.bincount(parts))))  # rounded up
    return found


def _rank(reason: str) -> int:
    return REASONS.index(reason) if reason in REASONS else len(REASONS)


def strip(digits: Mapping[str, str]) -> list[tuple[str, str]]:
    """Paths of an SVG picture, `FULL` high and one wide for each part: reasons from the top, stacked.

    Args:
        digits: What `timeline` returned.
    """
    width = max((len(one) for one in digits.values()), default=0)
    top = np.zeros(width, int)
    paths = []
    for reason, text in digits.items():
        heights = np.minimum(np.array([int(digit) for digit in text]), FULL - top)
        paths.append((reason, _bars(top, heights)))
        top += heights
    return paths


def _bars(top: np.ndarray, heights: np.ndarray) -> str:
    """Bars ``(N)``; equal neighbors are one."""
    edges = np.flatnonzero(np.diff(top) | np.diff(heights)) + 1
    starts = np.concatenate(([0], edges, [len(top)]))
    return "".join(
        f"M{start} {top[start]}h{end - start}v{heights[start]}h{start - end}z"
        for start, end in itertools.pairwise(starts)
        if heights[start]
    )
