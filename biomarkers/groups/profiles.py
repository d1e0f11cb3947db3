"""Profiles of groups: mean intensity over the course of a recording, with bands over persons.

Recordings differ in length, so time is a share of the recording. Letters: `N` recordings, `S` persons, `B`
bins, `F` channels, `R` resamples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from datamodules.series.series import Series
from evaluation.metrics.applicable import subject_codes
from evaluation.uncertainty.bootstrap import LEVEL, Resampling

Array = NDArray[np.float64]

MIN_BAND = 5  # persons; our choice: resampling fewer gives bands far narrower than they claim


@dataclass(frozen=True, eq=False, kw_only=True)
class Profile:
    """The course of one group: `mean` and its 95 % band `low` to `high`, all (B, F).

    `persons` (B,) counts who is seen in a bin; a bin with fewer than `MIN_BAND` of them has no band.
    """

    channels: tuple[str, ...]
    mean: Array
    low: Array
    high: Array
    persons: NDArray[np.int64]


def course(series: Series, *, bins: int) -> Array:
    """Mean of the valid frames in each of `bins` equal shares of the recording, (B, F), NaN where none is.

    Time is `series.seconds` where known, which notices dropped rows, else the number of the row.

    Raises:
        ValueError: There are no bins, or no frame is valid.
    """
    if bins < 1:
        raise ValueError(f"bins={bins}: a course needs at least one")
    if not series.valid.any():
        raise ValueError(f"none of {len(series.valid)} frames is valid: drop the recording, and say so")
    time = np.arange(len(series.valid)) if series.seconds is None else series.seconds
    span = float(time[-1] - time[0])
    place = np.minimum(((time - time[0]) / span * bins).astype(int), bins - 1) if span > 0 else 0 * time
    place, values = place[series.valid].astype(int), series.values[series.valid].astype(np.float64)
    total, count = np.zeros((bins, values.shape[1])), np.bincount(place, minlength=bins)
    np.add.at(total, place, values)
    return np.divide(total, count[:, None], out=np.full_like(total, np.nan), where=count[:, None] > 0)


_USUAL = Resampling(2000)  # as in conf/analyze.yaml


def group_profiles(
    series: Sequence[Series],
    subjects: Sequence[str],
    groups: Sequence[str],
    resampling: Resampling = _USUAL,
    *,
    bins: int = 50,
) -> dict[str, Profile]:
    """The mean course of each group over its persons, whose recordings are averaged first.

    Args:
        series: One a recording (N), all with the same channels.
        subjects: Person of each recording (N,).
        groups: Group of each recording (N,); a person who changes groups counts in both.
        resampling: Of the persons behind the percentile band, which is pointwise.
        bins: Shares of the recordings' time.

    Raises:
        ValueError: The lengths differ, a recording has no valid frame, channels differ, or too few resamples.
    """
    if not series or not len(series) == len(subjects) == len(groups):
        raise ValueError(f"{len(series)} series, {len(subjects)} subjects, {len(groups)} groups: one each")
    channels = series[0].channels
    for subject, one in zip(subjects, series, strict=True):
        if one.channels != channels:
            odd = sorted(set(one.channels) ^ set(channels))[:5]
            raise ValueError(f"a recording of {subject} has other channels or another order: {odd}")
        if not one.valid.any():
            raise ValueError(
                f"none of {len(one.valid)} frames of a recording of {subject} is valid: drop the recording, "
                "and say so"
            )
    courses = np.stack([course(one, bins=bins) for one in series])
    own, names = np.array(groups, dtype=np.str_), np.array(subjects, dtype=np.str_)
    return {
        str(group): _profile(courses[own == group], names[own == group], channels, resampling)
        for group in np.unique(own)
    }


def _profile(
    courses: Array, subjects: ArrayLike, channels: tuple[str, ...], resampling: Resampling
) -> Profile:
    codes = subject_codes(np.asarray(subjects))
    count = int(codes.max()) + 1
    persons = np.stack([_mean(courses[codes == code])[0] for code in range(count)])
    mean, seen = _mean(persons)
    rng = np.random.default_rng(resampling.seed)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=resampling.n_boot).astype(np.float64)
    low, high = np.stack([_band(persons[:, b], weights) for b in range(courses.shape[1])], axis=1)
    low[seen < MIN_BAND], high[seen < MIN_BAND] = np.nan, np.nan
    return Profile(channels=channels, mean=mean, low=low, high=high, persons=seen[:, 0])


def _mean(stack: Array) -> tuple[Array, NDArray[np.int64]]:
    """Mean over the first axis without NaN, and how many there were."""
    seen = np.isfinite(stack).sum(axis=0)
    total = np.nansum(stack, axis=0)
    return np.divide(total, seen, out=np.full_like(total, np.nan), where=seen > 0), seen


def _band(persons: Array, weights: Array) -> tuple[Array, Array]:
    """Percentile band (F,) of the resampled means of one bin, `persons` (S, F); all channels share frames."""
    known = np.isfinite(persons).all(axis=1)
    drawn = weights[:, known]
    drawn = drawn[drawn.sum(axis=1) > 0]  # a resample may draw nobody who is seen in this bin
    if not len(drawn):
        return np.full(persons.shape[1], np.nan), np.full(persons.shape[1], np.nan)
    means = drawn @ persons[known] / drawn.sum(axis=1, keepdims=True)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high
