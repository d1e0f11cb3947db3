"""Bounds of channel values, checked row by row: a single wild value distorts every spread.

A channel of known range (an action unit 0 to 5, a presence 0 or 1, an angle within pi, a probability 0 to 1)
that leaves it by more than its own width was not measured; what leaves it by less is told. Places in pictures
lie within 100,000 px, places in space within 1 km.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datamodules.series.schema import CHANNELS, Channel, unit
from datamodules.series.series import UnreadableSeries

_SIZES = {"px": 1e5, "mm": 1e6, "model": 1e6}  # our choices, of channels without a range
_SLACK = 0.05  # of the width, our choice: regressions overshoot
_OWN = 10.0  # our choice: events of a rare action unit in z-scores lie outside by a few widths
_SCORED = 100.0  # our choice: the z-score of an event that 1 row in 10,000 has
_EVENT = 1e6  # our choice: events of a channel that is 0 elsewhere are smaller
_FEW = 0.01  # of the rows, our choice: more are another unit, and the mean tells
_REST, _WILD = (
    0.001,
    1000.0,
)  # our choice: so few rows, so many times as far from the median as all the others


def check_bounds(
    values: np.ndarray, rows: np.ndarray, channels: Sequence[str], path: Path, *, own: bool
) -> list[str]:
    """Stop at values that nothing measures, and return remarks on those that are odd.

    Args:
        values: Measured rows by channels (n, F).
        rows: Row of each in the series (n,).
        channels: Names (F,).
        path: The file, for messages.
        own: The file is of no known program. Its channels may be in units of their own, such as z-scores, so
            only a few values outside a range that all others keep count, and ten times as far.

    Raises:
        UnreadableSeries: Names the channel, the row, the value, the range and the remedy.
    """
    notes: list[str] = []
    if not len(values):
        return notes
    lows, highs = values.min(axis=0), values.max(axis=0)
    for place, name in enumerate(channels):
        limits = _limits(CHANNELS.get(name))
        if limits is None:
            notes += _wild(values[:, place], rows, name, path)
            continue
        low, high, slack, reach = limits
        if low - slack <= lows[place] and highs[place] <= high + slack:
            continue
        found = values[:, place]
        away = np.maximum(low - found, found - high)
        wild = bool(away.max() > (_own_reach(found, low, reach) if own else reach))
        outside, mean = away > slack, found.mean(dtype=np.float64)
        few = outside.sum() <= max(1.0, _FEW * len(found))
        beyond = (high - low) * own
        if not few and ((own and not wild) or not low - beyond <= mean <= high + beyond):
            continue  # another unit: who checks means tells it
        row = int(np.argmax(away))
        told = (
            f"{path}: '{name}' is {found[row]:g} in row {rows[row]}, outside {low:g} to {high:g} "
            f"({unit(name)}),"
            f" in {outside.sum()} of {len(found)} measured rows"
        )
        if wild and (few or not own):
            remedy = (
                "mark such rows as not measured ('success' or 'valid' 0)" if few else "convert the column"
            )
            raise UnreadableSeries(f"{told}; {remedy}, or correct it")
        notes.append(f"{told}; correct it, or mark the row as not measured")
    return notes


def _limits(channel: Channel | None) -> tuple[float, float, float, float] | None:
    """Range, what may leave it unsaid, and by how much it may be left; None where no range is known."""
    if channel is None:
        return None
    if channel.low is None or channel.high is None:
        size = _SIZES.get(channel.unit)
        return None if size is None else (-size, size, 0.0, 0.0)
    width = channel.high - channel.low
    return channel.low, channel.high, _SLACK * width, width


def _own_reach(values: np.ndarray, low: float, reach: float) -> float:
    """By how much values of a file of no known program may leave the range.

    Where the usual value lies below it, as 0 does in z-scores, rare events lie far above.
    """
    return max(_OWN * reach, _SCORED) if np.median(values) < low else _OWN * reach


def _wild(values: np.ndarray, rows: np.ndarray, name: str, path: Path) -> list[str]:
    """A remark on a few values of a channel of unknown range that lie far from all the others."""
    away = np.abs(values - np.median(values), dtype=np.float64)
    kept = len(away) - max(1, min(3, len(away) // 100), int(_REST * len(away)))
    level = np.partition(away, kept - 1)[kept - 1] if kept > 0 else 0.0
    if not (_WILD * level if level else _EVENT) < away.max():
        return []
    row = int(np.argmax(away))
    return [
        f"{path}: '{name}' is {values[row]:g} in row {rows[row]} and within {level:.3g} of its median in "
        "nearly all others; correct it, or mark the row as not measured, if nothing measured it"
    ]
