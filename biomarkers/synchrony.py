"""Do two channels move together: windowed correlation, at the same time and at the best lag.

Windowed cross-correlation after Boker et al. (Psychological Methods 7, 338, 2002): short windows, because two
channels may go together now and apart later. Windows overlap by half and hold valid frames only; lengths and
lags are our choice.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from biomarkers.extractor import Array, Measured, Unmeasurable, column
from biomarkers.timing import row_length
from datamodules.series import Series

_FEATURES = ("corr", "lagcorr", "lag")
_SIDES = (("Left", "Right"), ("_0_", "_1_"))  # blendshapes, and OpenFace's two eyes


def side_pairs(channels: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Channels that exist once for either side of the face.

    >>> side_pairs(["mouthSmileLeft", "mouthSmileRight", "jawOpen", "gaze_0_x", "gaze_1_x"])
    (('mouthSmileLeft', 'mouthSmileRight'), ('gaze_0_x', 'gaze_1_x'))
    """
    pairs = ((name, name.replace(one, other)) for name in channels for one, other in _SIDES if one in name)
    return tuple((name, twin) for name, twin in pairs if twin in channels)


def all_pairs(channels: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Every two of the channels, in their order."""
    return tuple(combinations(channels, 2))


class Synchrony:
    """Means over windows: `<a>_<b>_corr` at lag 0, `_lagcorr` at the best lag, `_lag` that lag in seconds.

    The best lag is where the correlation is largest in size; a positive one says that b follows a. As a
    maximum over lags, `lagcorr` is large by chance alone: compare it between recordings, not with 0.

    Args:
        pairs: Names of two channels each.
        window_s: Length of a window in seconds.
        max_lag_s: Largest lag in seconds, less than half of the window.

    Raises:
        ValueError: A length that cannot be.
    """

    group = "synchrony"

    def __init__(
        self, *, pairs: Sequence[tuple[str, str]], window_s: float = 4.0, max_lag_s: float = 1.0
    ) -> None:
        if not 0 <= max_lag_s < window_s / 2:
            raise ValueError(f"max_lag_s={max_lag_s} must be 0 or more and less than half of {window_s=}")
        self.pairs = tuple((str(a), str(b)) for a, b in pairs)
        self.window_s, self.max_lag_s = window_s, max_lag_s
        self.names = tuple(f"{a}_{b}_{name}" for a, b in self.pairs for name in _FEATURES)

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure one recording.

        Raises:
            Unmeasurable: No window of it is valid from end to end, or it tells neither times nor a rate.
        """
        step = row_length(series, recording=recording)
        width, lags = round(self.window_s / step), round(self.max_lag_s / step)
        starts = range(0, len(series.valid) - width + 1, max(width // 2, 1))
        windows = [slice(at, at + width) for at in starts if series.valid[at : at + width].all()]
        if not windows or width - lags < 3:
            raise Unmeasurable(
                f"recording {recording!r}: none of {len(starts)} windows of {self.window_s:g} s ({width} "
                "frames) is valid from end to end and 3 frames longer than the lag; take other windows"
            )
        values: dict[str, float] = {}
        gaps: dict[str, str] = {}
        for a, b in self.pairs:
            names = [f"{a}_{b}_{name}" for name in _FEATURES]
            found, reason = self._pair(series, a, b, windows, lags)
            if reason:
                values |= dict.fromkeys(names, np.nan)
                gaps |= dict.fromkeys(names, reason)
            else:
                corr, best, lag = np.mean(found, axis=0)
                values |= dict(zip(names, (float(corr), float(best), float(lag * step)), strict=True))
        return Measured(values=values, gaps=gaps)

    def _pair(
        self, series: Series, a: str, b: str, windows: Sequence[slice], lags: int
    ) -> tuple[list[tuple[float, float, int]], str]:
        """Correlations of every window in which both channels move, or why there are none."""
        x, y = column(series, a), column(series, b)
        if x is None or y is None:
            return [], f"no channel {a if x is None else b!r}"
        found = [windowed(x[piece], y[piece], lags) for piece in windows]
        moving = [entry for entry in found if entry is not None]
        return moving, "" if moving else f"{a!r} or {b!r} is constant in each of {len(windows)} windows"


def windowed(x: Array, y: Array, lags: int) -> tuple[float, float, int] | None:
    """Correlation of two windows (n,) at lag 0, at the best of -lags..lags rows, and that lag.

    A lag leaves n - |lag| rows. Lags at which one part is constant do not count; None where lag 0 is one.
    """
    at = {lag: _correlation(x[max(-lag, 0) : len(x) - max(lag, 0)], y[max(lag, 0) : len(y) - max(-lag, 0)])
          for lag in sorted(range(-lags, lags + 1), key=abs)}  # fmt: skip
    if at[0] is None:
        return None
    known = {lag: value for lag, value in at.items() if value is not None}
    best = max(known, key=lambda lag: abs(known[lag]))  # of equal ones the smallest lag
    return at[0], known[best], best


def _correlation(x: Array, y: Array) -> float | None:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    x, y = x - x.mean(), y - y.mean()
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))
