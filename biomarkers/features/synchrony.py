"""Synchrony of two channels: windowed correlation at lag 0 and at the best lag.

Windowed cross-correlation after Boker et al. (Psychological Methods 7, 338, 2002): short windows, because two
channels may go together now and apart later. Windows overlap by half and hold valid frames only; lengths and
lags are our choice.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from biomarkers.features.extractor import Array, Measured, Unmeasurable, with_gaps
from biomarkers.features.timing import row_length
from datamodules.series import Series
from datamodules.series.series import column

_FEATURES = ("corr", "lagcorr", "lag")


class Synchrony:
    """Means over windows: `<a>_<b>_corr` at lag 0, `_lagcorr` at the best lag, `_lag` that lag in seconds.

    The best lag is where the correlation is largest, not largest in size: channels that oppose each other
    show in `corr`. A positive lag says that b follows a. As a maximum over lags, `lagcorr` is above 0 by
    chance alone: compare it between recordings, not with 0.

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
        lags = round(self.max_lag_s / step)
        rows = self._rows(series.valid, round(self.window_s / step), lags, recording)
        found: dict[str, float] = {}
        gaps: dict[str, str] = {}
        for a, b in self.pairs:
            names = [f"{a}_{b}_{name}" for name in _FEATURES]
            x, y = column(series, a), column(series, b)
            if x is None or y is None:
                gaps |= dict.fromkeys(names, f"no channel {a if x is None else b!r}")
                continue
            at, best, lag = windowed(x[rows], y[rows], lags)
            moves = np.isfinite(at)
            if moves.any():
                means = (float(part[moves].mean()) for part in (at, best, lag * step))
                found |= dict(zip(names, means, strict=True))
            else:
                gaps |= dict.fromkeys(names, f"{a!r} or {b!r} is constant in each of {len(rows)} windows")
        return with_gaps(self.names, found, gaps)

    def _rows(self, valid: NDArray[np.bool_], width: int, lags: int, recording: str) -> NDArray[np.int_]:
        """Rows (W, width) of all windows without an invalid frame."""
        starts = range(0, len(valid) - width + 1, max(width // 2, 1))
        whole = [at for at in starts if valid[at : at + width].all()]
        if not whole or width - lags < 3:
            raise Unmeasurable(
                f"recording {recording!r}: none of {len(starts)} windows of {self.window_s:g} s ({width} "
                "frames) is valid from end to end and 3 frames longer than the lag; take other windows"
            )
        return np.asarray(np.add.outer(whole, np.arange(width)), dtype=np.int_)


def windowed(x: Array, y: Array, lags: int) -> tuple[Array, Array, Array]:
    """Correlations of windows at lag 0 and at the best lag, and that lag in rows, each (W,).

    A lag leaves n - |lag| rows of a window. Lags at which one part is constant do not count; windows of which
    one is constant are NaN. Of equally good lags the smallest counts.

    Args:
        x: Windows (W, n).
        y: Windows (W, n).
        lags: Largest lag, less than n - 1.
    """
    order = np.array(sorted(range(-lags, lags + 1), key=abs))
    n = x.shape[1]
    at = np.stack(
        [
            _correlation(x[:, max(-lag, 0) : n - max(lag, 0)], y[:, max(lag, 0) : n - max(-lag, 0)])
            for lag in order.tolist()
        ]
    )
    at[:, np.isnan(at[0])] = np.nan
    best = np.argmax(np.where(np.isnan(at), -np.inf, at), axis=0)
    return at[0], np.take_along_axis(at, best[None], axis=0)[0], order[best].astype(np.float64)


def _correlation(x: Array, y: Array) -> Array:
    """Pearson's r of rows (W,), NaN where one of the two is constant."""
    moves = (np.ptp(x, axis=1) > 0) & (np.ptp(y, axis=1) > 0)
    x, y = (part[moves] - part[moves].mean(axis=1, keepdims=True) for part in (x, y))
    r = np.full(len(moves), np.nan)
    r[moves] = (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    return r
