"""What a program that measures action units makes of latent series: noise, lost frames, missing units.

With a face of intensity a, an extractor that answers and one that loses the face for a while,

    measured = clip(a + noise * e, 0, 5),   e standard normal, independent between frames and units
    lost     = runs of frames of 0.5 s on average that fill the share `drop` of the recording

and channels in `missing` are not there at all. All sizes are our choice. Noise of a real extractor is not
independent between frames and grows with head turns; this one is the kind a method must at least survive.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from datamodules.series import Series
from datamodules.series.channel_schema import CHANNELS, group

_RUN_SECONDS = 0.5  # our choice: a hand at the mouth, a turn of the head
_NOISE, _DROP = range(2)  # independent random streams: the dropped frames do not depend on the noise
_LOW, _HIGH = CHANNELS["au01"].low, CHANNELS["au01"].high


def as_extracted(
    series: Series, *, noise: float, drop: float, missing: Sequence[str], seed: int | Sequence[int]
) -> Series:
    """The series as an extractor would give it; what is no intensity of a unit keeps its values.

    Args:
        series: Latent series with a rate.
        noise: Standard deviation of the error of an intensity.
        drop: Expected share of frames without a face (0 to below 1).
        missing: Channels that the extractor does not measure.
        seed: Same seed and settings, same result.

    Raises:
        ValueError: A setting that cannot be, a missing channel that was never there, or no rate.
    """
    if noise < 0 or not 0 <= drop < 1:
        raise ValueError(f"noise={noise} must be 0 or more, drop={drop} a share from 0 to below 1")
    if strangers := sorted(set(missing) - set(series.channels)):
        raise ValueError(f"missing names {strangers[0]!r}; the series has {', '.join(series.channels)}")
    if series.fps is None:
        raise ValueError("the series tells no frame rate, which the length of a loss needs")
    key = [seed] if isinstance(seed, int) else list(seed)
    intensity = np.array([group(name) == "au" for name in series.channels])
    error = np.random.default_rng([*key, _NOISE]).standard_normal(series.values.shape)
    noisy = np.clip(series.values + noise * error, _LOW, _HIGH)
    values = np.where(intensity, noisy, series.values).astype(np.float32)
    rng = np.random.default_rng([*key, _DROP])
    valid = series.valid & ~_lost(len(values), drop, series.fps * _RUN_SECONDS, rng)
    kept = [column for column, name in enumerate(series.channels) if name not in set(missing)]
    return replace(
        series,
        values=np.where(valid[:, None], values[:, kept], np.float32(0)),
        channels=tuple(series.channels[column] for column in kept),
        valid=valid,
    )


def _lost(n: int, drop: float, run: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Two-state Markov chain (n,) that is True for the share `drop` of the time, `run` rows at a time."""
    run = max(run, 1.0, drop / (1 - drop))  # shorter runs could not fill that share
    begin = drop / (1 - drop) / run
    draws = rng.random(n)
    lost = np.empty(n, dtype=bool)
    state = bool(rng.random() < drop)
    for row in range(n):
        lost[row] = state
        state = bool(draws[row] >= 1 / run) if state else bool(draws[row] < begin)
    return lost
