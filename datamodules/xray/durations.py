"""Lengths in seconds that do not fit: of times and table, of two sets, of frames and rate."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from datamodules.xray.defect import Defect, defect_of
from datamodules.xray.measured import Measured

# All our choices; docs/guide/xray.md says why.
_AGREE = 0.8  # of the recordings, before one that differs is a fault
_FEWEST = 3  # recordings
_SHARE, _SECONDS = 0.15, 0.5  # by which a length may differ

Stated = Mapping[str, float]


def odd_lengths(own: Sequence[Measured], durations: Stated) -> list[tuple[Measured, str]]:
    """Files of a set that last longer or shorter than the table says, where nearly all others fit."""
    pairs = [
        (one, one.clock.span, durations[name])
        for one in own
        if one.clock is not None and one.clock.span
        for name in one.owners[:1]
        if name in durations
    ]
    odd = _odd(np.array([[span, stated] for _, span, stated in pairs]))
    return [
        (pairs[row][0], f"lasts {pairs[row][1]:.4g} s, the table states {pairs[row][2]:.4g}") for row in odd
    ]


def odd_between_sets(timed: Sequence[Measured]) -> Iterator[Defect]:
    """Files that last longer or shorter than another set of the recording, where nearly all others fit."""
    spans: dict[str, dict[str, Measured]] = {}
    for one in timed:
        if one.clock is not None and one.clock.span and len(one.owners) == 1:
            spans.setdefault(one.column, {})[one.owners[0]] = one
    columns = list(spans)
    for first, second in pairwise(columns):
        both = [name for name in spans[first] if name in spans[second]]
        pairs = [(spans[first][name], spans[second][name]) for name in both]
        lengths = np.array(
            [[one.clock.span if one.clock else 0 for one in pair] for pair in pairs], dtype=float
        )
        if odd := _odd(lengths):
            a, b = lengths[odd[0]]
            text = (
                f"the duration does not fit between {first} ({a:.4g} s) and {second} ({b:.4g} s) in "
                f"{len(odd)} recording(s), e.g. {both[odd[0]]}"
            )
            yield defect_of("time_base", text, [one for row in odd for one in pairs[row]])


def odd_rows(ids: Sequence[str], stated: Mapping[str, Stated]) -> Iterator[Defect]:
    """Rows of a table whose frames, rate and duration contradict each other, where nearly all others fit."""
    whole = [name for name in ids if all(name in values for values in stated.values())]
    frames, rates, durations = (stated[name] for name in ("n_frames", "fps", "duration_s"))
    odd = _odd(np.array([[frames[name] / rates[name], durations[name]] for name in whole]))
    if odd:
        name = whole[odd[0]]
        yield Defect(
            kind="time_base",
            text=f"the table: the duration does not fit in {len(odd)} recording(s): {name} has "
            f"{frames[name]:g} frames at {rates[name]:.4g}/s in {durations[name]:.4g} s",
            recordings=tuple(whole[row] for row in odd),
        )


def _odd(lengths: NDArray[np.float64]) -> list[int]:
    """Rows (N, 2) of two lengths whose proportion is not that of nearly all others.

    An extractor may leave out a share of every recording: what all have in common is no fault.
    """
    if len(lengths) < _FEWEST:
        return []
    ratios = np.log(lengths[:, 0] / lengths[:, 1])
    usual = float(np.median(ratios))
    far = np.abs(ratios - usual) > np.log1p(_SHARE)
    if far.mean() > 1 - _AGREE:
        return []  # they are about different things
    apart = np.abs(lengths[:, 0] - lengths[:, 1] * np.exp(usual))
    return [int(row) for row in np.flatnonzero(far & (apart > _SECONDS))]
