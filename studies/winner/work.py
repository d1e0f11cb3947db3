"""One simulated sweep, judged: the probabilities that are printed, and the shares of a plain bootstrap."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.comparison.sweep_table import SweepTable
from evaluation.comparison.winner import APART, judge, probabilities, resampled_values, trial_values
from studies.winner.simulated import setting, simulate

Array = NDArray[np.float64]

_SEED = 1018  # the method was settled on 18 and others


def sweep(number: int) -> Mapping[str, Any]:
    """What was said of one sweep, and what is true.

    Returns:
        The setting; `best`, number of the best trial; `stated` and `plain`, probabilities by trial; of the
        winner its `regret` and `expected_regret`, `optimism` and `expected_optimism` (what value and expected
        value are above the truth); `held`, whether the best trial is among the `together` trials. Only the
        setting and `reason` where the sweep gets no probabilities.
    """
    rng = np.random.default_rng([_SEED, number])
    own = setting(rng)
    table, true = simulate(rng, own)
    drawn = resampled_values(table, seed=number)
    truths = judge(table, drawn, seed=number)
    if isinstance(truths, str):
        return asdict(own) | {"reason": truths}
    sign = 1.0 if table.metric.higher_is_better else -1.0
    values, true = sign * trial_values(table), sign * true
    winner = int(values.argmax())
    draws, best = truths.draws, int(true.argmax())
    together = (draws > draws[:, [winner]]).mean(axis=0) >= APART
    together[winner] = True
    return asdict(own) | {
        "level": float(abs(true.mean())),
        "seed_sd": truths.seed_sd,
        "best": best,
        "winner": winner,
        "stated": probabilities(draws).round(6).tolist(),
        "plain": plain(table, sign * drawn, rng).round(6).tolist(),
        "regret": float(true.max() - true[winner]),
        "expected_regret": float((draws.max(axis=1) - draws[:, winner]).mean()),
        "optimism": float(values[winner] - true[winner]),
        "expected_optimism": float(values.mean() + draws[:, winner].mean() - true[winner]),
        "held": bool(together[best]),
        "together": int(together.sum()),
    }


def plain(table: SweepTable, drawn: Array, rng: np.random.Generator) -> Array:
    """How often each trial (K,) is on top when persons and, within each trial, seeds are drawn again.

    Args:
        table: The sweep.
        drawn: Values (R, M) of resampled persons, higher is better.
        rng: Draws the seeds.
    """
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    found = np.empty((len(drawn), len(table.trials)))
    for trial in range(found.shape[1]):
        own = drawn[:, table.trial_of == trial]
        times = rng.multinomial(own.shape[1], np.full(own.shape[1], 1 / own.shape[1]), size=len(own))
        found[:, trial] = (own * times).sum(axis=1) / own.shape[1]
    return probabilities(found)
