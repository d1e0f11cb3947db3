"""Rank correlations of features with questionnaire scores; intervals and p-values are over persons.

Letters: `N` recordings, `F` features, `S` scores, `R` resamples or permutations.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from biomarkers.groups.comparison import SAME, benjamini_hochberg
from biomarkers.groups.subject_means import feature_names, person_names, with_labels
from evaluation.metrics.rank_correlation import correlation, ranks
from evaluation.uncertainty.bootstrap import Resampling, percentile_interval, subject_weights
from evaluation.uncertainty.holm import holm
from evaluation.uncertainty.label_permutation import block_permutations

Array = NDArray[np.float64]

MIN_PERSONS = 10  # our choice: with fewer, an interval of a correlation spans nearly everything
PERMUTATIONS = 9999  # p-values are multiples of 1/10000 (our choice)
_BLOCK = 2_000_000  # permuted rows held at once
_ROUNDING = 1e-12  # equal correlations may differ by it, and must count as equal


def correlate(
    features: pd.DataFrame,
    scores: pd.DataFrame,
    resampling: Resampling,
    *,
    n_perm: int = PERMUTATIONS,
) -> pd.DataFrame:
    """Spearman's correlation of every feature with every score, one row each, corrected for all of them.

    Intervals are percentiles of resampled persons, with all recordings of each. Under the null hypothesis the
    scores of a person, in the order of the visits, belong to anybody with as many recordings: they change
    places person by person, and `p = (1 + #{|r*| >= |r|}) / (1 + R)` (Phipson & Smyth, 2010). Columns are
    `feature, score, rho, low, high, p, p_holm, p_bh, n_persons, n_recordings, reason`; what cannot be tested
    is missing, with a reason, and does not count in the corrections.

    Args:
        features: `recording_id, subject_id`, perhaps `session_id`, and numeric features. Recordings of an
            unknown subject are persons of their own, which is optimistic.
        scores: `recording_id` and the scores, NaN where a recording has none.
        resampling: Of persons; its seed is that of the permutations as well.
        n_perm: Permutations.

    Raises:
        ValueError: See `persons.with_labels`; there are no scores, or no permutations.
    """
    names = feature_names(features)
    asked = [str(name) for name in scores if name != "recording_id"]
    if not asked or n_perm < 1:
        raise ValueError(f"scores {asked}, n_perm={n_perm}: give one score and one permutation at least")
    table = _in_order(with_labels(features, scores, asked))
    x, y = (table[columns].to_numpy(np.float64, na_value=np.nan) for columns in (names, asked))
    persons = table["person"].to_numpy(dtype=np.str_)
    rows: list[dict[str, object]] = []
    alike: dict[bytes, list[tuple[int, int, int]]] = {}
    for f, feature in enumerate(names):
        for s, score in enumerate(asked):
            known = np.isfinite(x[:, f]) & np.isfinite(y[:, s])
            row = {"feature": feature, "score": score, "n_recordings": int(known.sum())}
            row["n_persons"] = len(set(persons[known]))
            row["reason"] = _untestable(x[known, f], y[known, s], persons[known])
            if not row["reason"]:  # pairs of the same recordings share their resamples and permutations
                alike.setdefault(known.tobytes(), []).append((len(rows), f, s))
            rows.append(row)
    found = pd.DataFrame(rows).assign(**dict.fromkeys(_NUMBERS, np.nan))
    for mask, pairs in alike.items():
        known = np.frombuffer(mask, dtype=np.bool_)
        _fill(found, pairs, x, y, persons, known, resampling, n_perm=n_perm)
    found["p_holm"], found["p_bh"] = holm(found["p"]), benjamini_hochberg(found["p"].to_numpy(np.float64))
    return found[["feature", "score", *_NUMBERS, "p_holm", "p_bh", "n_persons", "n_recordings", "reason"]]


_NUMBERS = ("rho", "low", "high", "p")


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a person beside each other, visit by visit."""
    order = ["person", *(["session_id"] if "session_id" in table else []), "recording_id"]
    return table.assign(person=person_names(table)).sort_values(order, ignore_index=True)


def _untestable(x: Array, y: Array, persons: NDArray[np.str_]) -> str:
    count = len(set(persons))
    if count < MIN_PERSONS:
        return f"{count} persons have both: {MIN_PERSONS} are needed"
    for name, values in (("feature", x), ("score", y)):
        if np.ptp(values) <= SAME * np.abs(values).max():
            return f"the {name} is constant"
    return ""


def _fill(
    found: pd.DataFrame,
    pairs: Sequence[tuple[int, int, int]],
    x: Array,
    y: Array,
    persons: NDArray[np.str_],
    known: NDArray[np.bool_],
    resampling: Resampling,
    *,
    n_perm: int,
) -> None:
    """Write the numbers of pairs (row, feature, score) that have the same `known` recordings."""
    own_x = {f: x[known, f] for f in sorted({f for _, f, _ in pairs})}
    own_y = {s: y[known, s] for s in sorted({s for _, _, s in pairs})}
    weights = (block[:, known] for block in subject_weights(persons, resampling))
    draws = _resampled(own_x, own_y, weights)
    values = {(f, s): float(stats.spearmanr(own_x[f], own_y[s]).statistic) for _, f, s in pairs}
    p_values = _permuted(own_x, own_y, values, persons[known], n_perm=n_perm, seed=resampling.seed)
    for row, f, s in pairs:
        low, high, why = percentile_interval(draws[f, s])
        found.loc[row, list(_NUMBERS)] = [values[f, s], low, high, p_values[f, s]]
        found.loc[row, "reason"] = why or ""


Pair = tuple[int, int]


def _resampled(x: dict[int, Array], y: dict[int, Array], weights: Iterator[Array]) -> dict[Pair, Array]:
    """Correlations (R,) of all pairs; every variable is ranked once a resample."""
    draws: dict[Pair, list[Array]] = {(f, s): [] for f in x for s in y}
    for w in weights:
        ranked = {s: ranks(values, w) for s, values in y.items()}
        for f, values in x.items():
            own = ranks(values, w)
            for s, other in ranked.items():
                draws[f, s].append(correlation(own, other, w))
    return {pair: np.concatenate(parts) for pair, parts in draws.items()}


def _permuted(
    x: dict[int, Array],
    y: dict[int, Array],
    values: dict[Pair, float],
    persons: NDArray[np.str_],
    *,
    n_perm: int,
    seed: int,
) -> dict[Pair, float]:
    """Two-sided p-values; permuted ranks are the same ranks, so that a correlation is a product."""
    scores = np.stack([_standard(v) for v in x.values()], axis=1)
    places = {f: j for j, f in enumerate(x)}
    extreme = dict.fromkeys(values, 0)
    rng = np.random.default_rng(seed)
    step = max(1, _BLOCK // len(persons))
    for start in range(0, n_perm, step):
        order = block_permutations(persons, seed=rng, count=min(step, n_perm - start))[0]
        for s, own in y.items():
            drawn = np.abs(_standard(own)[order] @ scores) / len(persons)
            for f, other in extreme:
                if other == s:
                    extreme[f, s] += int((drawn[:, places[f]] >= abs(values[f, s]) - _ROUNDING).sum())
    return {pair: (1 + count) / (1 + n_perm) for pair, count in extreme.items()}


def _standard(values: Array) -> Array:
    ranked = stats.rankdata(values)
    return np.asarray((ranked - ranked.mean()) / ranked.std())
