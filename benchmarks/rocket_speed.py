"""Speed of our ROCKET features beside plain aeon: `python -m benchmarks.rocket_speed`.

Ours starts from series with gaps and ends at the same features: panel, then kernels. Plain aeon is given the
equal-length array and normalizes it. Both take turns, and the best round of each counts; the ratio travels
between machines, seconds do not.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
from aeon.transformations.collection.convolution_based import Rocket

from biomarkers.estimators.rocket import N_KERNELS, rocket
from biomarkers.estimators.series_array import SeriesPanel
from datamodules.command_line import run
from datamodules.series import Series

FRAMES, CHANNELS, FPS = 900, 17, 30.0
_GAPS, _GAP_FRAMES = 3, 10  # of a recording, as an extractor that loses the face would leave them


def main(*, recordings: int = 1000, kernels: int = N_KERNELS, rounds: int = 2) -> None:
    """Measure and show CPU seconds of both and their ratio.

    Args:
        recordings: Of 900 frames and 17 channels.
        kernels: Of ROCKET.
        rounds: The best one of each counts.
    """
    seconds = measure(recordings=recordings, kernels=kernels, rounds=rounds)
    ours, plain = seconds["ours"], seconds["aeon"]
    sys.stdout.write(
        f"{recordings} recordings of {FRAMES} frames and {CHANNELS} channels, {kernels} kernels: "
        f"ours {ours:.2f} s, plain aeon {plain:.2f} s of CPU, ratio {ours / plain:.3f}\n"
    )


def measure(*, recordings: int, kernels: int, rounds: int) -> dict[str, float]:
    """Return the least CPU seconds of each way, after a run on two recordings that compiles both."""
    series = draw(recordings)
    array = np.stack([one.values.T for one in series]).astype(np.float64)
    panel = SeriesPanel(channels=series[0].channels, length=FRAMES, scaling="recording")

    def ours(count: int) -> None:
        rocket(n_kernels=kernels).fit_transform(panel.fit_transform(series[:count]))

    def plain(count: int) -> None:
        Rocket(n_kernels=kernels, random_state=0).fit_transform(array[:count])

    ways: dict[str, Callable[[int], None]] = {"ours": ours, "aeon": plain}
    for way in ways.values():
        way(2)
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            way(recordings)
            best[name] = min(best[name], time.process_time() - start)
    return best


def draw(recordings: int) -> list[Series]:
    """Random walks with a few gaps."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(recordings):
        valid = np.ones(FRAMES, dtype=bool)
        for start in rng.integers(FRAMES - _GAP_FRAMES, size=_GAPS):
            valid[start : start + _GAP_FRAMES] = False
        values = rng.standard_normal((FRAMES, CHANNELS)).cumsum(axis=0).astype(np.float32) * valid[:, None]
        names = tuple(f"channel_{number}" for number in range(CHANNELS))
        found.append(Series(values=values, channels=names, valid=valid, fps=FPS))
    return found


if __name__ == "__main__":
    sys.exit(run(main))
