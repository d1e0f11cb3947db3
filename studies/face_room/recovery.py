"""How well the series follow the channels that drove a drawn face."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.geometry import JAW_DROP, LIPS_PART
from datamodules.synthetic.latent import CHANNELS
from datamodules.synthetic.room.room import Room, draw_room
from studies.face_room.measure import Seen

Array = NDArray[np.float64]

OPENING = "lips' opening"  # both channels that part the drawn lips, by what each of them does
# Drawn channel -> column of the series, and the sign that its documentation gives it.
READ = {
    "au01": ("au_proxy_01", 1),
    "au02": ("au_proxy_02", 1),
    "au12": ("au_proxy_12", 1),
    "au15": ("au_proxy_15", 1),
    "au20": ("au_proxy_20", 1),
    "au25": ("au_proxy_26", 1),
    "au26": ("au_proxy_26", 1),
    OPENING: ("au_proxy_26", 1),
    "au45": ("au_proxy_45", 1),
    "gaze_x": ("gaze_x", 1),
    "gaze_y": ("gaze_y", 1),
    "pose_yaw": ("pose_yaw", -1),  # positive to the picture's left, as in OpenFace
    "pose_pitch": ("pose_pitch", 1),
    "pose_roll": ("pose_roll", 1),
}
UNREAD = ("au04", "au06", "au17", "pupil")  # no column: what faces show of them was found not to be reliable

# r measured before this pipeline was written, on other drawn faces 224 pixels wide and without a room: all
# channels moving together, 4 persons of 200 frames; each channel alone, 3 persons.
EARLIER = {
    "au01": (0.67, 0.98), "au02": (0.84, 0.97), "au12": (0.82, 0.99), "au15": (0.61, 0.99),
    "au20": (0.52, 0.98), "au26": (0.97, 0.98), "au45": (0.96, 0.97), "gaze_x": (0.96, 0.99),
    "gaze_y": (0.44, 0.94), "pose_yaw": (0.99, 0.99), "pose_pitch": (0.68, 0.99), "pose_roll": (0.99, 1.0),
}  # fmt: skip

_RANGES = {"au": (0.0, 4.0), "gaze": (-0.35, 0.35), "pose": (-0.3, 0.3)}


def driven_room(seed: int, *, seconds: float, fps: float, together: bool) -> Room:
    """A calm room whose person moves all channels through their ranges, at once or one after the other."""
    rng = np.random.default_rng([seed, 31])
    n = round(seconds * fps)
    series = np.zeros((n, len(CHANNELS)), dtype=np.float32)
    series[:, CHANNELS.index("pupil")] = 0.4
    for name, rows in turns(n, together=together).items():
        low, high = _RANGES[name.split("_")[0].rstrip("0123456789")]
        wave = _blinks if name == "au45" and together else _wave  # half-closed lids would hide the gaze
        series[rows, CHANNELS.index(name)] = low + (high - low) * wave(rng, rows.stop - rows.start, fps)
    look = Appearance.draw(int(rng.integers(2**31)))
    return Room(look, series, seed=(seed, 32), fps=fps, events=())


def turns(n: int, *, together: bool) -> dict[str, slice]:
    """The frames in which each drawn channel moves."""
    moving = tuple(name for name in READ if name in CHANNELS)
    if together:
        return {name: slice(0, n) for name in CHANNELS[:-1]}
    edges = np.linspace(0, n, len(moving) + 1).round().astype(int).tolist()
    return {name: slice(low, high) for name, (low, high) in zip(moving, pairwise(edges), strict=True)}


def drawn(room: Room, name: str) -> Array:
    """A channel as it was drawn ``(T,)``."""
    series = room.truth.series.astype(np.float64)
    if name == OPENING:
        return np.asarray(
            LIPS_PART * series[:, CHANNELS.index("au25")]
            + 0.75 * JAW_DROP * series[:, CHANNELS.index("au26")]
        )
    return np.asarray(series[:, CHANNELS.index(name)])


def natural_room(seed: int, *, seconds: float, fps: float) -> Room:
    """A room with all its events, and a person who behaves as in the cohort."""
    return draw_room(seed, seconds=seconds, fps=fps)


def correlations(room: Room, seen: Seen, *, together: bool = True) -> dict[str, float]:
    """Pearson's r of each drawn channel with its column, over the usable frames in which it moves."""
    usable = seen.verdict.usable & room.truth.usable
    found: dict[str, float] = {}
    when = turns(len(usable), together=together)
    when[OPENING] = slice(when["au25"].start, when["au26"].stop)
    for name, (column, sign) in READ.items():
        rows = when[name]
        true = drawn(room, name)[rows][usable[rows]]
        own = sign * seen.series[column].to_numpy(dtype=np.float64)[rows][usable[rows]]
        found[name] = float(np.corrcoef(true, own)[0, 1]) if len(true) > 2 and true.std() > 0 else math.nan
    return found


def recovery_table(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Mean r by channel and kind of room, with half of its 95 % t interval over rooms."""
    out: list[dict[str, Any]] = []
    for (kind, channel), group in rows.groupby(["kind", "channel"], sort=False):
        values = group["r"].dropna().to_numpy()
        if len(values) == 0:
            continue
        half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values) if len(values) > 1 else math.nan
        out.append({"kind": kind, "channel": channel, "r": values.mean(), "half": half, "rooms": len(values)})
    return out


def _wave(rng: np.random.Generator, n: int, fps: float) -> Array:
    """A smooth path through 0 to 1: sines of random rate and phase, stretched."""
    t = np.arange(n) / fps
    total = sum(np.sin(2 * np.pi * (rng.uniform(0.15, 0.6) * t + rng.uniform())) for _ in range(4))
    low, high = np.min(total), np.max(total)
    return np.asarray((total - low) / (high - low), dtype=np.float64)


def _blinks(rng: np.random.Generator, n: int, fps: float) -> Array:
    """Twenty blinks a minute of .3 s ``(n,)`` in 0 to 1."""
    t, out = np.arange(n) / fps, np.zeros(n)
    for onset in rng.uniform(0, n / fps, round(n / fps / 3)):
        phase = np.clip((t - onset) / 0.3, 0, 1)
        out = np.maximum(out, 0.5 - 0.5 * np.cos(2 * np.pi * phase))
    return out
