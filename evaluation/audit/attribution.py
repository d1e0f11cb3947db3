"""Attributions of an output, summed by channel, part of the face and time, and averaged over persons.

Attributions are additive, so sums over channels and steps are attributions of groups. Letters: `N` clips, `T`
steps, `F` channels, `P` persons, `K` groups.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.metrics.applicable import subject_codes
from evaluation.uncertainty.bootstrap import Resampling, percentile_interval, subject_weights

Array = NDArray[np.float64]

THIRDS = ("early", "middle", "late")
TOLERANCE = 0.05  # share of the explained difference that may be unaccounted for; our choice

# Facial Action Coding System (Ekman & Friesen 1978): which part of the face a unit moves
_UNITS = {
    "brows": (1, 2, 4),
    "eyes": (5, 6, 7, 41, 42, 43, 44, 45, 46),
    "nose": (9,),
    "mouth": (*range(10, 29), 32),
}
# the 68 points of Gross et al. 2010 (Multi-PIE), counted from 0
_POINTS = {"brows": range(17, 27), "nose": range(27, 36), "eyes": range(36, 48), "mouth": range(48, 68)}
_PREFIXES = {
    "gaze": ("gaze_",),
    "head": ("pose_",),
    "eyes": ("pupil", "eye", "iris"),
    "brows": ("brow",),
    "mouth": ("mouth", "jaw", "lip", "inner"),
    "nose": ("nose", "ala"),
    "upper picture": ("cell_upper",),
    "middle picture": ("cell_middle",),
    "lower picture": ("cell_lower",),
}
_OTHER = "other"
REGIONS = (*_UNITS, "gaze", "head", "upper picture", "middle picture", "lower picture", _OTHER)


@dataclass(frozen=True)
class Attributions:
    """Attributions of one output of a network over its clips.

    Attributes:
        clips: `recording_id, subject_id, output, baseline`, one row a clip: the output and that of the
            baseline input.
        thirds: (N,3,F), summed over the early, middle and late third of the real steps of each clip.
        steps: (N,T,R), summed over the channels of each region.
        channels: names, F of them.
        regions: names, R of them.
        unit: what the output is counted in.
    """

    clips: pd.DataFrame
    thirds: Array
    steps: Array
    channels: tuple[str, ...]
    regions: tuple[str, ...]
    unit: str


def region(channel: str) -> str:
    """Part of the face that a channel describes: brows, eyes, nose, mouth, gaze, head, or other."""
    if number := unit_number(channel):
        return next((name for name, units in _UNITS.items() if number in units), _OTHER)
    if point := re.fullmatch(r"[xyXYZ]_(\d+)", channel):
        return next((name for name, points in _POINTS.items() if int(point[1]) in points), _OTHER)
    return next((name for name, starts in _PREFIXES.items() if channel.startswith(starts)), _OTHER)


def unit_number(channel: str) -> int | None:
    """Number of the action unit of an intensity, presence or probability; None for another channel."""
    found = re.fullmatch(r"au(\d+)(_present|_probability)?", channel)
    return int(found[1]) if found else None


def unit(channel: str) -> str:
    """The action unit of a channel (`AU12`), or the channel itself."""
    number = unit_number(channel)
    return channel if number is None else f"AU{number:02d}"


def summed_thirds(values: Array, mask: NDArray[np.bool_]) -> Array:
    """Sums (N,3,F) of attributions (N,T,F) over the thirds of the real steps (N,T) of each clip."""
    place = np.cumsum(mask, 1) - 1
    count = np.maximum(mask.sum(1, keepdims=True), 1)
    third = np.where(mask, place * len(THIRDS) // count, -1)
    chosen = third[:, None, :] == np.arange(len(THIRDS))[:, None]
    sums: Array = np.einsum("nkt,ntf->nkf", chosen.astype(np.float64), values)
    return sums


def summed_regions(values: Array, channels: Sequence[str], regions: Sequence[str]) -> Array:
    """Sums (N,T,R) of attributions (N,T,F) over the channels of each region."""
    member = np.array([[region(channel) == name for name in regions] for channel in channels], dtype=float)
    total: Array = values @ member
    return total


def regions_of(channels: Sequence[str]) -> tuple[str, ...]:
    """The regions that these channels describe, in their fixed order."""
    held = {region(channel) for channel in channels}
    return tuple(name for name in REGIONS if name in held)


def completeness(found: Attributions) -> dict[str, Any]:
    """How much of output minus baseline the attributions add up to: they should leave nothing.

    `unexplained` is the mean absolute residual of a clip over the mean absolute difference.
    """
    difference = (found.clips["output"] - found.clips["baseline"]).to_numpy(dtype=np.float64)
    residual = found.thirds.sum((1, 2)) - difference
    scale = float(np.abs(difference).mean())
    share = float(np.abs(residual).mean()) / scale if scale > 0 else None
    return {
        "clips": len(difference),
        "mean_difference": scale,
        "mean_residual": float(np.abs(residual).mean()),
        "max_residual": float(np.abs(residual).max()),
        "unexplained": share,
        "complete": share is not None and share <= TOLERANCE,
    }


def attribution_table(found: Attributions, resampling: Resampling) -> pd.DataFrame:
    """Mean over persons of each group's attribution and of its size, with intervals over persons.

    A recording is the mean of its clips and a person that of the recordings; `strength` averages the absolute
    values of recordings, so that pushes to both sides do not cancel. Columns: `scope` (all, region, unit,
    channel), `name`, `third` (all, early, middle, late), `value, low, high`, `strength, strength_low,
    strength_high`; without a second person the bounds are missing.
    """
    keys, values = _grouped(found)
    signed, size = _by_person(values, found.clips)
    columns: dict[str, Any] = {}
    for name, means in (("value", signed), ("strength", size)):
        low, high = _bounds(means, resampling)
        prefix = "" if name == "value" else f"{name}_"
        columns |= {name: means.mean(0), f"{prefix}low": low, f"{prefix}high": high}
    return pd.DataFrame(keys, columns=["scope", "name", "third"]).assign(**columns)


def step_curves(found: Attributions) -> Mapping[str, Array]:
    """Mean over persons of each region's attribution at each step of a clip: name -> (T,)."""
    count, steps, regions = found.steps.shape
    signed, _ = _by_person(found.steps.reshape(count, steps * regions), found.clips)
    means = signed.mean(0).reshape(steps, regions)
    return {name: means[:, place] for place, name in enumerate(found.regions)}


def _grouped(found: Attributions) -> tuple[list[tuple[str, str, str]], Array]:
    """Scope, name and third of each group, and its attribution in each clip (N,K)."""
    keys, columns = [], []
    for scope, name, members in _groups(found.channels):
        part = found.thirds[:, :, members].sum(2)  # (N,3)
        keys += [(scope, name, third) for third in ("all", *THIRDS)]
        columns += [part.sum(1), *part.T]
    return keys, np.stack(columns, 1)


def _groups(channels: Sequence[str]) -> Iterator[tuple[str, str, list[int]]]:
    yield "all", "all", list(range(len(channels)))
    for scope, of in (("region", region), ("unit", unit), ("channel", str)):
        members: dict[str, list[int]] = {}
        for place, channel in enumerate(channels):
            members.setdefault(of(channel), []).append(place)
        for name, places in members.items():
            yield scope, name, places


def _by_person(values: Array, clips: pd.DataFrame) -> tuple[Array, Array]:
    """Mean over the recordings of each person, and mean of their absolute values, (P,K) each."""
    table = clips[["recording_id", "subject_id"]].reset_index(drop=True)
    names, place = np.unique(table["recording_id"].astype(str), return_inverse=True)
    recordings = _means(values, place.astype(np.int64), len(names))
    first = table.groupby("recording_id", sort=True)["subject_id"].first()
    person = subject_codes(first.loc[list(names)])
    count = int(person.max()) + 1
    return _means(recordings, person, count), _means(np.abs(recordings), person, count)


def _means(values: Array, place: NDArray[np.int64], count: int) -> Array:
    total = np.zeros((count, values.shape[1]))
    np.add.at(total, place, values)
    mean: Array = total / np.bincount(place, minlength=count)[:, None]
    return mean


def _bounds(means: Array, resampling: Resampling) -> tuple[Array, Array]:
    """Percentile bounds (K,) of the mean over persons; NaN where there is only one."""
    if len(means) < 2:
        missing = np.full(means.shape[1], np.nan)
        return missing, missing
    blocks = subject_weights(range(len(means)), resampling)
    draws = np.concatenate([weights @ means / weights.sum(1, keepdims=True) for weights in blocks])
    pairs = [percentile_interval(column)[:2] for column in draws.T]
    low, high = np.array(pairs, dtype=np.float64).T
    return low, high
