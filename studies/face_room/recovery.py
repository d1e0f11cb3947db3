"""How well the series follow the channels that drove a drawn face."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.latent import CHANNELS
from datamodules.synthetic.room.room import Room, draw_room
from studies.face_room.measure import Seen

Array = NDArray[np.float64]

# Drawn channel -> column of the series, and the sign that its documentation gives it.
READ = {
    "au01": ("au_proxy_01", 1),
    "au02": ("au_proxy_02", 1),
    "au12": ("au_proxy_12", 1),
    "au15": ("au_proxy_15", 1),
    "au20": ("au_proxy_20", 1),
    "au25": ("au_proxy_26", 1),
    "au26": ("au_proxy_26", 1),
    "au45": ("au_proxy_45", 1),
    "gaze_x": ("gaze_x", 1),
    "gaze_y": ("gaze_y", 1),
    "pose_yaw": ("pose_yaw", -1),  # positive to the picture's left, as in OpenFace
    "pose_pitch": ("pose_pitch", 1),
    "pose_roll": ("pose_roll", 1),
}
UNREAD = ("au04", "au06", "au17", "pupil")  # no column: what faces show of them was found not to be reliable

# r measured before this pipeline was written, on other drawn faces 224 pixels wide and without a room: all
# channels moving together, 4 persons of 200 frames; each channel alone, 3 persons (mesh and iris model alike).
EARLIER = {
    "au01": (0.67, 0.98), "au02": (0.84, 0.97), "au12": (0.82, 0.99), "au15": (0.61, 0.99),
    "au20": (0.52, 0.98), "au26": (0.97, 0.98), "au45": (0.96, 0.97), "gaze_x": (0.96, 0.99),
    "gaze_y": (0.44, 0.94), "pose_yaw": (0.99, 0.99), "pose_pitch": (0.68, 0.99), "pose_roll": (0.99, 1.0),
}  # fmt: skip

_RANGES = {"au": (0.0, 4.0), "gaze": (-0.35, 0.35), "pose": (-0.3, 0.3)}
_FROWNS = ("au04", "au06", "au17")


def driven_room(seed: int, *, seconds: float, fps: float, alone: str | None = None) -> Room:
    """A calm room whose person moves channels through their ranges, all together or one alone."""
    rng = np.random.default_rng([seed, 31])
    n = round(seconds * fps)
    series = np.zeros((n, len(CHANNELS)), dtype=np.float32)
    series[:, CHANNELS.index("pupil")] = 0.4
    for j, name in enumerate(CHANNELS[:-1]):
        low, high = _RANGES[name.split("_")[0].rstrip("0123456789")]
        wave = _wave(rng, n, fps)  # drawn for every channel, so that `alone` changes no other draw
        rest = 0.0
        series[:, j] = low + (high - low) * wave if alone in (None, name) else rest
    look = Appearance.draw(int(rng.integers(2**31)))
    return Room(look, series, seed=(seed, 32), fps=fps, events=())


def natural_room(seed: int, *, seconds: float, fps: float) -> Room:
    """A room with all its events, and a person who behaves as in the cohort."""
    return draw_room(seed, seconds=seconds, fps=fps)


def correlations(room: Room, seen: Seen) -> dict[str, float]:
    """Pearson's r of each drawn channel with its column, over the usable frames of a room."""
    rows = seen.verdict.usable & room.truth.usable
    found: dict[str, float] = {}
    for name, (column, sign) in READ.items():
        true = room.truth.series[rows, CHANNELS.index(name)]
        own = sign * seen.series.loc[rows, column].to_numpy(dtype=np.float64)
        found[name] = float(np.corrcoef(true, own)[0, 1]) if true.std() > 0 else math.nan
    return found


def recovery_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean r by channel and kind of room, with its 95 % t interval over rooms."""
    from scipy import stats

    out = []
    for (kind, channel), group in rows.groupby(["kind", "channel"], sort=False):
        values = group["r"].dropna().to_numpy()
        if len(values) == 0:
            continue
        half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values) if len(values) > 1 else math.nan
        out.append({"kind": kind, "channel": channel, "r": values.mean(), "half": half, "rooms": len(values)})
    return pd.DataFrame(out)


def _wave(rng: np.random.Generator, n: int, fps: float) -> Array:
    """A smooth path through 0 to 1: sines of random rate and phase, stretched."""
    t = np.arange(n) / fps
    total = sum(np.sin(2 * np.pi * (rng.uniform(0.15, 0.6) * t + rng.uniform())) for _ in range(4))
    low, high = np.min(total), np.max(total)
    return np.asarray((total - low) / (high - low), dtype=np.float64)
