"""Statistics of the comparison of two runs: paired differences, intervals and permutation tests."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.comparison.runs import Run, RunError, check_same
from evaluation.metrics.applicable import subject_codes
from evaluation.metrics.catalog import METRICS
from evaluation.tables.clusters import unit_of, units
from evaluation.uncertainty.confidence_intervals import Limits, limits, t_interval
from evaluation.uncertainty.holm import holm
from evaluation.uncertainty.paired_permutation import PERMUTATIONS, paired_permutation
from evaluation.uncertainty.scale_limits import cut_to_scale, span_of
from evaluation.uncertainty.table_estimates import Bound, bind, paired_differences, why_undefined

ALPHA = 0.05
VERDICT = "a run is better where the permutation test, after Holm's correction, gives p below 0.05"


def compare(
    a: Run,
    b: Run,
    *,
    only: Sequence[str] = (),
    n_perm: int = PERMUTATIONS,
    seed: int = 0,
) -> dict[str, Any]:
    """Compare two runs metric by metric.

    The value of a run is the mean of its metric over training seeds. Its difference has an interval over
    persons (`uncertainty.jackknife`, a person left out of both runs), a p-value of the paired permutation
    test, and that p-value after Holm's correction over the metrics compared. The verdict, which run is
    better, follows the corrected p-value; where interval and test disagree, `disagree` says so.

    Args:
        a: First run.
        b: Second run, tested on the same recordings.
        only: Metrics to compare, those named before looking; empty compares all.
        n_perm: Exchanges drawn for the permutation test.
        seed: Of these draws.

    Returns:
        Content of `compare.json`; `metrics` maps a name to `a`, `b`, `difference`, `p_value`, `p_holm`,
        `better` and `seeds`.

    Raises:
        RunError: The runs were not tested on the same recordings and targets, or a metric is in neither.
    """
    for table in b.tables:
        check_same(a.tables[0], table)
    bound_a, bound_b = (bind([t.recordings for t in run.tables], _thresholds(run)) for run in (a, b))
    everything = [name for name in bound_a[0] if all(name in seed_of for seed_of in (*bound_a, *bound_b))]
    if strangers := sorted(set(only) - set(everything)):
        raise RunError(f"no metric {strangers[0]!r} in both runs; there are {', '.join(everything)}")
    chosen = [name for name in everything if not only or name in only]
    absent = {name: why for name in chosen if (why := _undefined(name, (*bound_a, *bound_b)))}
    names = [name for name in chosen if name not in absent]
    found = _differences(a, b, bound_a, bound_b, names)
    tested = a.tables[0].recordings
    changing = subject_codes(units(tested))  # whose predictions change places together
    for name in names:
        found[name] |= _tested(name, bound_a, bound_b, changing, n_perm=n_perm, seed=seed)
    told = [name for name in names if found[name]["p_value"] is not None]
    for name, value in zip(told, holm([found[name]["p_value"] for name in told]), strict=True):
        found[name]["p_holm"] = float(value)
    for name in names:
        found[name] |= verdict(name, found[name])
    return {
        "a": _described(a),
        "b": _described(b),
        "recordings": len(tested),
        "persons": int(subject_codes(tested["subject_id"]).max()) + 1,
        "intervals_over": unit_of(tested),
        "seed": seed,
        "verdict": VERDICT,
        "metrics": found,
        "not_compared": absent,
    }


def verdict(name: str, row: Mapping[str, Any]) -> dict[str, str | None]:
    """Which run is better by the test, None where it is not shown, and whether the interval disagrees."""
    gap, p, corrected = row["difference"], row["p_value"], row.get("p_holm")
    clear = corrected is not None and corrected < ALPHA
    out: dict[str, str | None] = {
        "better": None if not clear else "a" if (gap["value"] > 0) == METRICS[name].higher_is_better else "b"
    }
    if p is not None and gap["low"] is not None and (p < ALPHA) != (gap["low"] > 0 or gap["high"] < 0):
        out["disagree"] = (
            f"the interval {'includes' if p < ALPHA else 'excludes'} 0, and the test gives p = {p:.3f}: the "
            "verdict follows the test"
        )
    return out


def over_seeds(values: Sequence[float], *, limits: Limits) -> dict[str, Any]:
    """Mean over training seeds with its t-interval within limits; no interval for a single one."""
    mean, low, high = t_interval(values, limits=limits)
    return {"value": mean, "low": low, "high": high, "values": list(values)}


def _undefined(name: str, bound: Bound) -> str | None:
    """Why a metric cannot be compared, or None."""
    if bound[0][name].metric.resampled is None:
        return "leaving recordings out biases a binned error"
    return why_undefined(name, bound)


def _differences(
    a: Run, b: Run, bound_a: Bound, bound_b: Bound, names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    gaps = paired_differences(
        *([table.recordings for table in run.tables] for run in (a, b)),
        thresholds_a=_thresholds(a),
        thresholds_b=_thresholds(b),
    )
    span = span_of(a.record)
    gaps = cut_to_scale({"difference": gaps}, span)["difference"]
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        values = [[by_name[name].value().value for by_name in bound] for bound in (bound_a, bound_b)]
        left, right = ([float(value) for value in side if value is not None] for side in values)
        own = limits(name, span=span)
        seeds = {"a": over_seeds(left, limits=own), "b": over_seeds(right, limits=own)}
        if len(left) == len(right) > 1:
            paired = [x - y for x, y in zip(left, right, strict=True)]
            seeds["difference"] = over_seeds(paired, limits=limits(name, difference=True, span=span))
        found[name] = {
            "a": float(np.mean(left)),
            "b": float(np.mean(right)),
            "difference": gaps[name],
            "seeds": seeds,
        }
    return found


def _thresholds(run: Run) -> list[float | None]:
    return [table.threshold for table in run.tables]


def _tested(
    name: str, a: Bound, b: Bound, persons: NDArray[np.int64], *, n_perm: int, seed: int
) -> dict[str, Any]:
    if len(a) != len(b):
        reason = f"{len(a)} seeds against {len(b)}: predictions can only change places pair by pair"
        return {"p_value": None, "p_holm": None, "reason": reason}
    pairs = [(left[name], right[name]) for left, right in zip(a, b, strict=True)]
    return asdict(paired_permutation(pairs, persons, n_perm=n_perm, seed=seed))


def _described(run: Run) -> dict[str, Any]:
    return {"name": run.name, "folders": [str(table.folder) for table in run.tables]}
