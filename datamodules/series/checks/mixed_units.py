"""Check that all files hold a channel in one unit, and not, for example, in millimeters and in meters."""

from collections.abc import Mapping

import numpy as np

from datamodules.series.channel_schema import limits, unit
from datamodules.series.series import Series, UnreadableSeries

FACTOR = 45.0  # our choice: below degrees for radians (57), above what persons and cameras differ by
_EMPTY = 8.0  # our choice: the factor between the groups that no file has
_LEVEL = 0.95  # quantile of the absolute values that stands for a file: not moved by a few wild rows
_FEWEST, _SHARE = 3, 0.1  # files on either side, our choice
_SHOWN = 3  # files named


def level(series: Series) -> np.ndarray:
    """Size of each channel (F,): a high quantile of the absolute valid values; NaN where that is 0."""
    values = np.abs(series.values[series.valid], dtype=np.float64)
    if not len(values):
        return np.full(series.values.shape[1], np.nan)
    place = min(int(_LEVEL * len(values)), len(values) - 1)
    found: np.ndarray = np.partition(values, place, axis=0)[place]
    return np.where(found > 0, found, np.nan)


def check_units(levels: Mapping[str, np.ndarray], channels: tuple[str, ...]) -> None:
    """Stop where the files of a channel fall into two groups that a change of unit explains.

    The medians of the groups are a factor of `FACTOR` or more apart, the gap between the groups is wider than
    either of them, and each has a tenth of the files. A channel near 0 in many persons has no such gap.
    Sizes that all fit a known range, as those of a mouth at rest and of one that speaks, are of one unit;
    not so for angles, as a small one in degrees fits the range of radians.

    Args:
        levels: File -> its `level` (F,).
        channels: Names of the channels.

    Raises:
        UnreadableSeries: Names the channel, the sizes, files of the smaller group and the remedy.
    """
    names = np.array(list(levels))
    table = np.array(list(levels.values())).reshape(len(names), len(channels))
    for channel, sizes in zip(channels, table.T, strict=True):
        known = np.flatnonzero(np.isfinite(sizes))
        order = known[np.argsort(sizes[known], kind="stable")]
        place = _gap(np.log10(sizes[order]))
        if place is None or _fits(channel, sizes[order]):
            continue
        low, high = order[:place], order[place:]
        fewer = min((low, high), key=len)
        listed = ", ".join(names[np.sort(fewer)][:_SHOWN].tolist())
        raise UnreadableSeries(
            f"channel '{channel}' ({unit(channel)}) is near {np.median(sizes[low]):.3g} in {len(low)} files "
            f"and near {np.median(sizes[high]):.3g} in {len(high)}: two units. Convert one group of files "
            f"({listed}{' ...' if len(fewer) > _SHOWN else ''}), or leave the channel out"
        )


def _fits(channel: str, sizes: np.ndarray) -> bool:
    """Whether the schema bounds the channel, which is no angle, and all sizes are within."""
    known = limits(channel)
    return known is not None and unit(channel) != "rad" and bool(np.max(sizes) <= max(map(abs, known)))


def _gap(sizes: np.ndarray) -> int | None:
    """Where ascending logarithms part into two groups; None where they do not."""
    least = max(_FEWEST, int(np.ceil(_SHARE * len(sizes))))
    if len(sizes) < 2 * least:
        return None
    steps = np.diff(sizes)
    place = int(np.argmax(steps)) + 1
    low, high = sizes[:place], sizes[place:]
    empty = steps[place - 1] >= max(np.log10(_EMPTY), np.ptp(low), np.ptp(high))
    apart = np.median(high) - np.median(low) >= np.log10(FACTOR)
    return place if empty and apart and min(len(low), len(high)) >= least else None
