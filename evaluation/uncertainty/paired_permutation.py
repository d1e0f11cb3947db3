"""Paired permutation test of two models, with a person's predictions kept together.

Under the null hypothesis nothing distinguishes the two models, so their predictions may change places. Those
of a person change places together, because the recordings of one person are not independent.

Numbers that change places must mean the same in both models. A metric of ranks does not see the scale of a
model, but an exchange would mix two scales; so ranks within each model are exchanged for it, and standardized
predictions for a correlation. Errors, concordance and decisions are about the values, which are exchanged as
they are. The observed difference is the same in any case. Letters: `R`
permutations, `N` recordings, `S` persons.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from evaluation.metrics.applicable import Measurement

Array = NDArray[np.float64]

EXACT = 2**12  # up to here all exchanges are enumerated (our choice); 12 persons
PERMUTATIONS = 9999  # beyond, with the +1 below, p-values are multiples of 1/10000 (our choice)
_BLOCK = 2_000_000  # weights held at once
_TOLERANCE = 1e-12  # equal differences may differ by rounding, and must count as equal


@dataclass(frozen=True)
class Permuted:
    """Two-sided p-value, how many exchanges it rests on, and whether these are all there are."""

    p_value: float
    permutations: int
    exact: bool


def paired_permutation(
    pairs: Sequence[tuple[Measurement, Measurement]],
    persons: NDArray[np.int64],
    *,
    n_perm: int = PERMUTATIONS,
    seed: int = 0,
) -> Permuted:
    """Test whether a metric differs between two models, by exchanging their predictions person by person.

    The statistic is metric of a minus metric of b, averaged over the pairs (one a training seed, exchanged
    together). All 2^S exchanges are enumerated up to `EXACT`; otherwise they are drawn, and the observed one
    counts among them: `p = (1 + #{|d*| >= |d|}) / (1 + R)` (Phipson and Smyth, 2010). An exchange that leaves
    the metric undefined counts as extreme.

    Args:
        pairs: The metric bound to the tables of both models, same rows and targets.
        persons: Code of the person of each recording (N,), numbered from 0.
        n_perm: Exchanges to draw where not all are enumerated.
        seed: Of the draw.
    """
    count = int(persons.max()) + 1
    exact = 2**count <= EXACT
    kept = np.ones((1, count), dtype=np.bool_)
    observed = abs(float(_differences(pairs, kept[:, persons])[0]))
    blocks = _all(count) if exact else _drawn(count, n_perm, persons.size, seed)
    extreme = total = 0
    for block in blocks:
        found = np.abs(_differences(pairs, block[:, persons]))
        extreme += int((~(found < observed - _TOLERANCE * max(1.0, observed))).sum())  # NaN is extreme
        total += len(block)
    p_value = extreme / total if exact else (1 + extreme) / (1 + total)
    return Permuted(p_value, total, exact)


def _exchangeable(bound: Measurement) -> Array:
    """Predictions (N,) on the scale that the metric sees: ranks, standard units or as they are."""
    if bound.metric.reads == "ranks":
        ranks: Array = rankdata(bound.prediction)
        return ranks
    if bound.metric.reads == "standardized values" and (spread := float(bound.prediction.std())) > 0:
        units: Array = (bound.prediction - bound.prediction.mean()) / spread
        return units
    return bound.prediction


def _differences(pairs: Sequence[tuple[Measurement, Measurement]], kept: NDArray[np.bool_]) -> Array:
    """Metric of a minus metric of b (R,) after exchanges: `kept` (R, N) says whose predictions stay.

    Both models' rows stand below each other, and weights of 0 and 1 choose from which one a row is taken; so
    the kernels of the bootstrap serve all exchanges at once.
    """
    total = np.zeros(len(kept))
    for a, b in pairs:
        assert a.metric.resampled is not None
        target = np.concatenate([a.target, b.target])
        prediction = np.concatenate([_exchangeable(a), _exchangeable(b)])
        own = kept[:, a.rows].astype(np.float64)
        first, second = np.hstack([own, 1 - own]), np.hstack([1 - own, own])
        kernel = a.metric.resampled
        total += kernel(target, prediction, first) - kernel(target, prediction, second)
    return total / len(pairs)


def _all(count: int) -> Iterator[NDArray[np.bool_]]:
    numbers = np.arange(2**count)
    yield (numbers[:, None] >> np.arange(count)) % 2 == 0


def _drawn(count: int, n_perm: int, rows: int, seed: int) -> Iterator[NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    step = max(1, _BLOCK // max(1, rows))
    for start in range(0, n_perm, step):
        yield rng.random((min(step, n_perm - start), count)) < 0.5
