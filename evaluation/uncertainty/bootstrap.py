"""Bootstrap over persons: bands of curves, and intervals of statistics that are no metric of a table.

The cluster bootstrap draws persons with replacement and takes all their recordings; a recording then counts
as often as its person was drawn. Intervals are percentiles, which are too narrow for few persons: metrics
have those of `table_estimates`. Letters: `R` resamples, `N` recordings, `S` subjects.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.applicable import subject_codes

Array = NDArray[np.float64]

LEVEL = 0.95
MIN_RESAMPLES = 1000
MIN_DEFINED = 0.9  # our choice: with fewer defined resamples the percentiles describe a selected set
_BLOCK = 250_000  # weights held at once: 2 MB, which stay in the cache of a core
_ROWS = 16  # resamples at least, so that a large table is not read anew for each


class Estimate(TypedDict):
    """A metric with its interval, as written to `metrics.json`.

    `reason` says why a number is missing, `method` how the interval was made, `warning` why it may fail.
    """

    value: float | None
    low: float | None
    high: float | None
    reason: NotRequired[str]
    method: NotRequired[str]
    warning: NotRequired[str]


@dataclass(frozen=True)
class Resampling:
    """How often persons are resampled, and from which seed: all that a bootstrap of a run has to agree on.

    Raises:
        ValueError: fewer than `MIN_RESAMPLES` resamples, on which percentiles cannot rest.
    """

    n_boot: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_boot < MIN_RESAMPLES:
            raise ValueError(
                f"n_boot={self.n_boot}: percentile intervals need at least {MIN_RESAMPLES} resamples"
            )

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """That of a resolved config: its `evaluation.n_boot` and `evaluation.seed`."""
        return cls(config["evaluation"]["n_boot"], config["evaluation"]["seed"])


def subject_weights(subjects: Iterable[object], resampling: Resampling) -> Iterator[Array]:
    """Yield blocks of weights (<=R, N): how often each recording is drawn in each resample of persons."""
    codes = subject_codes(subjects)
    count = int(codes.max()) + 1 if codes.size else 0
    rng = np.random.default_rng(resampling.seed)
    step = max(_ROWS, _BLOCK // max(1, codes.size))
    for start in range(0, resampling.n_boot, step):
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=min(step, resampling.n_boot - start))
        yield np.take(drawn.T.astype(np.float64, order="C"), codes, axis=0).T  # recordings one after another


def percentile_interval(
    draws: Array, *, level: float = LEVEL
) -> tuple[float | None, float | None, str | None]:
    """Percentile interval of resampled values (R,), and the reason when there is none."""
    defined = draws[np.isfinite(draws)]
    if defined.size < MIN_DEFINED * draws.size:
        share = defined.size / draws.size
        return None, None, f"no interval: only {share:.0%} of the resamples of persons define this metric"
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high), None


def interval_of(value: float, draws: Array) -> Estimate:
    """A value with the percentile interval of its resamples (R,)."""
    low, high, why = percentile_interval(draws)
    estimate = Estimate(value=value, low=low, high=high)
    if why is not None:
        estimate["reason"] = why
    return estimate
