"""CPU time of the bootstrap and of changes between visits: `python -m benchmarks.evaluation_cost`.

The plain ways are kept here as a reference: every metric copies its own rows of the weights, ranks gather and
sort anew, and every visit is a pandas group. Both take turns, ratios are taken round by round, and their
results are held against each other.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.bootstrap import percentile_interval, resample, subject_weights
from evaluation.changes import visit_changes
from evaluation.identity import UNKNOWN, natural_key
from evaluation.measures import measurements

Array = NDArray[np.float64]

N_BOOT, VISITS, THRESHOLD = 2000, 4, 0.5
_EQUAL = 1e-12


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and show a row a table size and task."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recordings", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    sys.stdout.write(f"{'task':<12}{'recordings':>11}{'plain ms':>10}{'ours ms':>9}{'ratio':>8}  of rounds\n")
    for count in chosen.recordings:
        table = draw(count)
        for task, ways in {
            "changes": (plain_changes, our_changes),
            "resamples": (plain_resamples, our_resamples),
            "together": (plain_intervals, our_intervals),
        }.items():
            plain, ours = measure(table, ways, rounds=chosen.rounds)
            ratios = plain / ours
            sys.stdout.write(
                f"{task:<12}{count:>11}{1e3 * np.median(plain):>10.1f}{1e3 * np.median(ours):>9.1f}"
                f"{np.median(ratios):>8.1f}  {ratios.min():.1f} to {ratios.max():.1f}\n"
            )


def measure(
    table: pd.DataFrame, ways: Sequence[Callable[[pd.DataFrame], Array]], *, rounds: int
) -> tuple[Array, Array]:
    """CPU seconds (rounds,) of the plain way and of ours, taking turns.

    Raises:
        ValueError: They differ in a result.
    """
    seconds = np.zeros((len(ways), rounds))
    results = [way(table) for way in ways]  # what is loaded on first use is not measured
    if not np.allclose(results[0], results[1], rtol=0, atol=_EQUAL, equal_nan=True):
        raise ValueError(f"the two ways differ by {np.nanmax(np.abs(results[0] - results[1])):.2g}")
    for turn in range(rounds):
        for index, way in enumerate(ways):
            start = time.process_time()
            way(table)
            seconds[index, turn] = time.process_time() - start
    return seconds[0], seconds[1]


def draw(recordings: int) -> pd.DataFrame:
    """Recording table of persons with several visits, with ties and missing targets."""
    rng = np.random.default_rng(0)
    count = -(-recordings // VISITS)
    score = np.clip(
        np.round(rng.normal(17, 8, (count, 1)) + rng.normal(0, 6, (count, VISITS))), 0, 63
    ).ravel()
    predicted = 0.7 * score + 5 + rng.normal(0, 4, score.size)
    columns = {
        "recording_id": [f"r{row}" for row in range(score.size)],
        "subject_id": np.repeat([f"p{person}" for person in range(count)], VISITS),
        "session_id": np.tile([f"v{visit}" for visit in range(VISITS)], count),
        "score_target": np.where(rng.random(score.size) < 0.02, np.nan, score),
        "score_prediction": predicted,
        "binary_target": (score >= 14).astype(float),
        "binary_prediction": (1 / (1 + np.exp(-(predicted - 16) / 5))).round(3),
        "band_target": np.digitize(score, [14, 20, 29]).astype(float),
        "band_prediction": np.clip(predicted / 10 - 0.5, 0, 3),
    }
    return pd.DataFrame(columns).head(recordings)


def our_changes(table: pd.DataFrame) -> Array:
    """True changes, predicted changes and rows, (C, 3)."""
    found = visit_changes(table)
    assert found is not None
    return np.stack([found.target, found.prediction, np.flatnonzero(found.rows)], axis=1)


def plain_changes(table: pd.DataFrame) -> Array:
    """The same with a pandas group a visit."""
    kept = table[table["score_target"].notna() & (table["subject_id"] != UNKNOWN)]
    rows = sorted(_steps(kept), key=lambda row: row[2])
    return np.array(rows)


def _steps(kept: pd.DataFrame) -> Iterator[tuple[float, float, float]]:
    for _, person in kept.groupby("subject_id"):
        visits = {str(name): own for name, own in person.groupby("session_id")}
        names = sorted(visits, key=natural_key)
        means = [visits[name][["score_target", "score_prediction"]].mean().to_numpy() for name in names]
        for earlier, later, name in zip(means, means[1:], names[1:], strict=False):
            yield *(later - earlier), visits[name].index[0]


def our_resamples(table: pd.DataFrame) -> Array:
    """Interval (2,) of every metric but those of changes, one below the other."""
    bound = [m for m in measurements(table, threshold=THRESHOLD) if m.metric.resampled is not None]
    draws = resample(table, bound, n_boot=N_BOOT, seed=0)
    return np.array([percentile_interval(draws[m.name])[:2] for m in bound], dtype=np.float64)


def plain_resamples(table: pd.DataFrame) -> Array:
    """The same with a copy of the weights and a pass a metric."""
    bound = [m for m in measurements(table, threshold=THRESHOLD) if m.metric.resampled is not None]
    blocks = list(subject_weights(table["subject_id"], n_boot=N_BOOT, seed=0))
    weights = np.ascontiguousarray(np.concatenate(blocks))
    ranks = {"auc": _plain_auc, "average_precision": _plain_precision}
    ends = []
    for m in bound:
        kernel = ranks.get(m.name, m.metric.resampled)
        assert kernel is not None
        ends.append(percentile_interval(kernel(m.target, m.prediction, weights[:, m.rows]))[:2])
    return np.array(ends, dtype=np.float64)


def _plain_auc(y: Array, p: Array, w: Array) -> Array:
    positive, negative = _by_prediction(y, p, w)
    below = np.cumsum(negative, axis=1) - negative
    wins: Array = (positive * (below + 0.5 * negative)).sum(axis=1)
    share: Array = wins / (positive.sum(axis=1) * negative.sum(axis=1))
    return share


def _plain_precision(y: Array, p: Array, w: Array) -> Array:
    positive, negative = _by_prediction(y, -p, w)
    hits = np.cumsum(positive, axis=1)
    precision = hits / np.maximum(hits + np.cumsum(negative, axis=1), 1)
    mean: Array = (positive * precision).sum(axis=1) / positive.sum(axis=1)
    return mean


def _by_prediction(y: Array, p: Array, w: Array) -> tuple[Array, Array]:
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.diff(p[order], prepend=-np.inf))
    positive: Array = np.add.reduceat((w * y)[:, order], starts, axis=1)
    negative: Array = np.add.reduceat((w * (1 - y))[:, order], starts, axis=1)
    return positive, negative


def our_intervals(table: pd.DataFrame) -> Array:
    """What a bootstrap of a table needs: changes, then resamples."""
    return our_resamples(table)


def plain_intervals(table: pd.DataFrame) -> Array:
    """The same, both done the plain way."""
    plain_changes(table)
    return plain_resamples(table)


if __name__ == "__main__":
    main()
