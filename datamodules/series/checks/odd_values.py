"""Detection of odd values: codes of missing values, marks of lost rows, numbers in another unit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from datamodules.series.checks.bounds import check_bounds
from datamodules.series.checks.counters import is_mark
from datamodules.series.format import CONFIDENCE, LOST
from datamodules.series.schema import CHANNELS
from datamodules.series.series import Series, UnreadableSeries

_LARGEST = 1e15  # our choice: the square of more is near the end of float32
_CODES = (-99.0, -999.0, -9999.0, -99999.0)  # of missing values, as statistics programs have them
_REST = 5  # our choice: what such a code is larger than all other values


def check_marks(path: Path, channels: Sequence[str]) -> None:
    """Stop where somebody asks for a mark of rows without a face as a channel: it is no behavior.

    Raises:
        UnreadableSeries: Names the column and the remedy.
    """
    for name in channels:
        if is_mark(name):
            raise UnreadableSeries(
                f"{path}: '{name}' tells which rows were measured and is no channel; leave it out"
            )


def marked(
    path: Path, marks: Mapping[str, np.ndarray], *, named: bool
) -> tuple[np.ndarray | bool, list[str]]:
    """Rows (n,) that all marks call measured, and remarks on the others.

    A mark is a column of 0 and 1 under another name than `valid` and `success`, such as `is_valid`, or shares
    under another name than `confidence`, which count from 0.8 on.

    Args:
        path: The file, for messages.
        marks: Name -> values (n,), NaN where there is no number.
        named: Channels were named; what is no mark by its values is left out then.

    Raises:
        UnreadableSeries: The values of such a column are neither marks nor shares.
    """
    valid: np.ndarray | bool = True
    notes = []
    for name, values in marks.items():
        known = values[~np.isnan(values)]
        if np.isin(known, (0, 1)).all():
            found, what = values == 1, "1 for a row with a measurement"
        elif name.lower().endswith("confidence") and (((known >= 0) & (known <= 1)) | (known == LOST)).all():
            found, what = values >= CONFIDENCE, f"{CONFIDENCE:g} or more for a row with a measurement"
        elif named:
            continue
        else:
            odd = known[~np.isin(known, (0, 1))][0]
            raise UnreadableSeries(
                f"{path}: '{name}' tells by its name which rows were measured, and holds {odd:g}; write 1 or "
                "0 (a share from 0 to 1 if it is a confidence), remove it, or name the channels to use"
            )
        valid = valid & found
        if not found.all():
            notes.append(
                f"{path}: '{name}' is taken for {what}; {(~found).sum()} of {len(found)} rows are "
                "not measured"
            )
    return valid, notes


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
    notes += check_bounds(values, np.flatnonzero(series.valid), series.channels, path, own=True)
    return replace(series, notes=(*series.notes, *notes))
