"""Values that nothing measures: codes of missing values, other units, wild rows that distort every spread.

A channel of known range (an action unit 0 to 5, a presence 0 or 1, an angle within pi, a probability 0 to 1)
that leaves it by more than its own width was not measured; what leaves it by less is told. Places in pictures
lie within 100,000 px, places in space within 1 km.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from datamodules.series.channel_schema import limits, unit
from datamodules.series.series import Series, UnreadableSeries

_LARGEST = 1e15  # our choice: the square of more is near the end of float32
_CODES = (-99.0, -999.0, -9999.0, -99999.0)  # of missing values, as statistics programs have them
_BEYOND = 5  # our choice: what such a code is larger than all other values
_SIZES = {"px": 1e5, "mm": 1e6, "model": 1e6}  # our choices, of channels without a range
_SLACK = 0.05  # of the width, our choice: regressions overshoot
_OWN = 10.0  # our choice: events of a rare action unit in z-scores lie outside by a few widths
_SCORED = 100.0  # our choice: the z-score of an event that 1 row in 10,000 has
_EVENT = 1e6  # our choice: events of a channel that is 0 elsewhere are smaller
_FEW = 0.01  # of the rows, our choice: more are another unit, and the mean tells
# Our choice: so few rows, so many times as far from the median as all the others.
_REST, _WILD = 0.001, 1000.0


def check_means(values: np.ndarray, channels: Sequence[str], path: Path, program: str) -> None:
    """Stop at a channel of a known program whose mean cannot be: degrees, percent, pixels, a wrong column.

    Raises:
        UnreadableSeries: Names the channel, its mean and its range.
    """
    for name, own in zip(channels, values.T, strict=True):
        if len(own) and (odd := _odd_mean(name, own, widths=0.0)):
            raise UnreadableSeries(f"{path}: as a file of {program}, {odd}; convert the column")


def _odd_mean(name: str, values: np.ndarray, *, widths: float) -> str:
    """Say that the mean lies outside the range of the channel by more than so many of its widths."""
    known = limits(name)
    if known is None:
        return ""
    low, high = known
    mean, slack = values.mean(dtype=np.float64), widths * (high - low)
    if low - slack <= mean <= high + slack:
        return ""
    far = "far " if widths else ""
    return f"'{name}' has the mean {mean:g}, {far}outside {low:g} to {high:g} ({unit(name)})"


def check_plain(series: Series, path: Path) -> Series:
    """Stop at codes of missing values and numbers that no statistic holds; note units unlike the name.

    Raises:
        UnreadableSeries: Names the channel, the value and the remedy.
    """
    if not series.valid.any():
        return series
    notes: list[str] = []
    values = np.where(np.isfinite(series.values), series.values, 0)[series.valid]
    for name, own in zip(series.channels, values.T, strict=True):
        top = np.abs(own).max()
        if top > _LARGEST:
            raise UnreadableSeries(
                f"{path}: channel '{name}' reaches {top:.3g}, which nothing measured does; mark such rows as "
                "invalid (column or array 'valid')"
            )
        code = own.min()
        rest = np.abs(own[own != code])
        if code in _CODES and rest.size and rest.max() < -code / _BEYOND:
            raise UnreadableSeries(
                f"{path}: channel '{name}' is {code:g} in {len(own) - len(rest)} rows and within "
                f"{rest.max():.3g} of 0 elsewhere: a code for missing values. Mark such rows as "
                "invalid (column or array 'valid')"
            )
        odd = _odd_mean(name, own, widths=1.0)
        notes += [f"{path}: {odd}; convert the channel, or give it a name of its own"] if odd else []
    notes += check_bounds(values, np.flatnonzero(series.valid), series.channels, path, own=True)
    return replace(series, notes=(*series.notes, *notes))


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
        known = _reach(name)
        if known is None:
            notes += _wild(values[:, place], rows, name, path)
            continue
        low, high, slack, reach = known
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


def _reach(name: str) -> tuple[float, float, float, float] | None:
    """Range, what may leave it unsaid, and by how much it may be left; None where no range is known."""
    if known := limits(name):
        return *known, _SLACK * (known[1] - known[0]), known[1] - known[0]
    size = _SIZES.get(unit(name))
    return None if size is None else (-size, size, 0.0, 0.0)


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
