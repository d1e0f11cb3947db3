"""Facial series of a recording from the landmarks of the person who was followed, and its summary."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from preprocessing.quality.crop_facts import CropFacts
from preprocessing.quality.gate import Verdict
from preprocessing.series.action_unit_proxies import action_unit_proxies
from preprocessing.series.head import Array, fit_head
from preprocessing.series.irises import gaze, has_irises, iris_size
from preprocessing.series.lids import blinks, eye_aspect_ratios
from preprocessing.series.own_neutral import from_own_neutral
from preprocessing.series.pose import head_pose
from preprocessing.series.velocities import velocities
from preprocessing.tracking.track import Track

_DIGITS = 6


def face_series(track: Track, verdict: Verdict, seconds: NDArray[np.float64]) -> pd.DataFrame:
    """One row a frame: `frame`, `timestamp` (s), `confidence`, `valid` (0 or 1), then the channels.

    Names, units and ranges of the channels are those of `datamodules.series.channel_schema`. Cells of rows
    without a face are empty; those of a face that is not usable are filled as far as they can be.

    Args:
        track: The person.
        verdict: Which frames are used.
        seconds: Times of the frames ``(T,)``.

    Raises:
        ValueError: Times do not grow, or a frame is usable that has no face or lacks a channel.
    """
    found, usable = track.found, verdict.usable
    _check(found, usable, seconds)
    columns = {
        "frame": np.arange(len(found)),
        "timestamp": seconds,
        "confidence": track.confidence.astype(np.float32),
        "valid": usable.astype(np.int8),
    }
    channels = _channels(track, usable, seconds) if found.any() else {}
    for name, values in channels.items():
        if (odd := np.flatnonzero(~np.isfinite(values) & usable[found])).size:
            raise ValueError(
                f"frame {np.flatnonzero(found)[odd[0]]} counts as usable, and its landmarks give no {name!r}"
            )
        columns[name] = np.full(len(found), np.nan, dtype=np.float32)
        columns[name][found] = values
    return pd.DataFrame(columns)


def summary(
    track: Track, verdict: Verdict, facts: Sequence[CropFacts | None], series: pd.DataFrame
) -> dict[str, float]:
    """The recording in one row, under the names that a manifest has for nuisances.

    Medians over the usable frames, or over those with a face where none is usable: `brightness` of the face
    (0 to 1), `blur` as the variance of the Laplacian of the crop (low is blurred), `face_x` and `face_y` of
    the middle of the box as shares of the picture, `face_size` as the box's height over that of the picture,
    `yaw`, `pitch` and `roll` in radians; and `usable`, the share of usable frames.

    Raises:
        ValueError: No frame has a face.
    """
    if not track.found.any():
        raise ValueError("no frame has a face, so there is nothing to summarize")
    kept = verdict.usable if verdict.usable.any() else track.found
    boxes = track.boxes[kept]
    crops = [fact for fact, used in zip(facts, kept, strict=True) if used and fact is not None]
    columns: dict[str, Sequence[float] | NDArray[np.floating]] = {
        "brightness": [fact.luminance for fact in crops],
        "blur": [fact.sharpness for fact in crops],
        "face_x": (boxes[:, 0] + boxes[:, 2]) / 2 / track.width,
        "face_y": (boxes[:, 1] + boxes[:, 3]) / 2 / track.height,
        "face_size": (boxes[:, 3] - boxes[:, 1]) / track.height,
    }
    columns |= {name: series[f"pose_{name}"].to_numpy()[kept] for name in ("yaw", "pitch", "roll")}
    row = {name: round(float(np.median(values)), _DIGITS) for name, values in columns.items() if len(values)}
    return row | {"usable": round(float(verdict.usable.mean()), _DIGITS)}


def _channels(track: Track, usable: NDArray[np.bool_], seconds: Array) -> dict[str, Array]:
    """All channels ``(N,)`` in the frames with a face."""
    found, topology = track.found, track.topology
    landmarks, times = track.landmarks[found].astype(np.float64), seconds[found]
    neutral = usable[found] if usable.any() else np.ones(len(times), dtype=bool)
    head = fit_head(landmarks, topology)
    angles = head_pose(head.rotation)
    lids = eye_aspect_ratios(head.upright, topology)
    sizes: dict[str, Array] = {}
    if has_irises(landmarks, topology):
        angles |= gaze(head, topology)
        sizes = iris_size(head, topology)
    proxies = action_unit_proxies(head.upright, lids["eye_aspect_ratio"], topology)
    blink = _blinks(lids["eye_aspect_ratio"], found, usable, seconds)
    relative = from_own_neutral(angles | proxies, neutral)
    speeds = velocities(head, times, topology)
    return angles | lids | {"blink": blink} | sizes | speeds | proxies | relative


def _blinks(ratio: Array, found: NDArray[np.bool_], usable: NDArray[np.bool_], seconds: Array) -> Array:
    """Frames with a face ``(N,)`` that belong to a blink; a frame without a face ends it."""
    ratios = np.zeros(len(found))
    ratios[found] = ratio
    return blinks(ratios, found, usable if usable.any() else found, seconds)[found]


def _check(found: NDArray[np.bool_], usable: NDArray[np.bool_], seconds: Array) -> None:
    if (odd := np.flatnonzero(np.diff(seconds) <= 0)).size:
        raise ValueError(
            f"frame {odd[0] + 1} is at {seconds[odd[0] + 1]:g} s and the frame before it at "
            f"{seconds[odd[0]]:g} s; times must grow"
        )
    if (odd := np.flatnonzero(usable & ~found)).size:
        raise ValueError(f"frame {odd[0]} counts as usable and has no face")
