"""Values that nothing measured: codes, marks of lost rows, numbers in another unit than a name says."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from datamodules.series.counters import is_mark
from datamodules.series.format import CONFIDENCE
from datamodules.series.schema import CHANNELS
from datamodules.series.series import Series, UnreadableSeries

_LARGEST = 1e15  # our choice: the square of more is near the end of float32
_CODES = (-99.0, -999.0, -9999.0, -99999.0)  # of missing values, as statistics programs have them
_REST = 5  # our choice: what such a code is larger than all other values


def check_marks(path: Path, channels: Sequence[str]) -> None:
    """Stop at a mark of rows without a face: it is no behavior, and the rows that it marks are not measured.

    Raises:
        UnreadableSeries: Names the column and the remedy.
    """
    for name in channels:
        if is_mark(name):
            raise UnreadableSeries(
                f"{path}: '{name}' tells which rows were measured and is no channel; call it 'valid' (1 "
                "or 0) or 'confidence' (0 to 1, measured from 0.8 on), or leave it out"
            )


def check_lost(series: Series, path: Path) -> None:
    """Stop where a column of an array marks rows as lost that count as measured.

    Raises:
        UnreadableSeries: Names the column and the remedy.
    """
    for name, least in (("valid", 1.0), ("success", 1.0), ("confidence", CONFIDENCE)):
        for column in [place for place, own in enumerate(series.channels) if own.lower() == name]:
            lost = int((series.valid & ~(series.values[:, column] >= least)).sum())
            if lost:
                raise UnreadableSeries(
                    f"{path}: column '{series.channels[column]}' of 'values' marks {lost} rows as lost that "
                    "count as measured; store true or false for every row in the array 'valid'"
                )


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
        if code in _CODES and rest.size and rest.max() < -code / _REST:
            raise UnreadableSeries(
                f"{path}: channel '{name}' is {code:g} in {len(own) - len(rest)} rows and within "
                f"{rest.max():.3g} of 0 elsewhere: a code for missing values. Mark such rows as "
                "invalid (column or array 'valid')"
            )
        channel = CHANNELS.get(name)
        if channel is None or channel.low is None or channel.high is None:
            continue
        mean, reach = own.mean(dtype=np.float64), channel.high - channel.low
        if not channel.low - reach <= mean <= channel.high + reach:
            notes.append(
                f"{path}: '{name}' has the mean {mean:g}, far outside {channel.low:g} to {channel.high:g} "
                f"({channel.unit}); convert the channel, or give it a name of its own"
            )
    return replace(series, notes=(*series.notes, *notes))
