"""Coverage of 95 % intervals on simulated studies: `python -m studies.coverage` writes the page.

Before: percentiles of the bootstrap over persons. After: what `table_estimates` prints. Both see the
same simulated test sets (`studies.coverage.simulated`), whose true metrics come from a large one. Letters:
`M` studies.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.command_line import run
from evaluation.metrics.applicable import Measurement, Resampler, measurements
from evaluation.uncertainty.bootstrap import Resampling, percentile_interval, subject_weights
from evaluation.uncertainty.confidence_intervals import estimate
from evaluation.uncertainty.jackknife import leave_one_out, left_out
from evaluation.uncertainty.table_estimates import difference
from studies.coverage.page import write_page
from studies.coverage.simulated import THRESHOLD, Line, draw, large, signal_for

Array = NDArray[np.float64]

STUDIES = 2000
RESAMPLES = 1000
DESIGNS = ((48, 6, "visit"), (48, 6, "person"), (48, 1, "person"), (20, 6, "person"), (20, 1, "person"))
AUCS = (0.75, 0.9)
LINES = tuple(Line(*design, auc) for design, auc in product(DESIGNS, AUCS))
FEW = tuple(
    Line(40, visits, "person", auc, positives)
    for positives, visits, auc in product((2, 3, 5, 8), (1, 3), AUCS)
)
_DIFFERENCES = ("auc", "mae", "ccc", "brier", "uar")
_SEED = 13


def main(
    *,
    studies: int = STUDIES,
    kept: Path = Path("outputs/coverage"),
    page: Path = Path("docs/results/coverage.md"),
) -> None:
    """Simulate every line that the folder does not hold yet, and write the page.

    Args:
        studies: A line.
        kept: Results by line, reused.
        page: Markdown.
    """
    kept.mkdir(parents=True, exist_ok=True)
    found = [_kept(kept, line, studies=studies, before=True) for line in LINES]
    few = [_kept(kept, line, studies=studies // 2, before=False) for line in FEW]
    write_page(page, found, few, studies=studies)


def _kept(folder: Path, line: Line, *, studies: int, before: bool) -> dict[str, Any]:
    path = folder / f"{line.persons}x{line.visits}_{line.label}_{line.auc}_{line.positives}_{studies}.json"
    if not path.is_file():
        path.write_text(json.dumps(simulate(line, studies=studies, before=before)), encoding="utf-8")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def simulate(line: Line, *, studies: int, before: bool) -> dict[str, Any]:
    """Count how often the intervals of a line of studies hold the truth.

    Args:
        line: The kind of study.
        studies: How many.
        before: Make the percentile intervals too.

    Returns:
        `{"line", "truth": {metric: value}, "after": {metric: counts}, "before": {metric: counts}}`; the
        counts are `studies` with an interval, `covered`, `below` and `above` (where the truth lay) and the
        mean `width`. A difference of two models is named `<metric>, difference`.
    """
    signal = signal_for(line.label, line.auc)
    kind = (line.persons, line.visits, len(line.label), round(100 * line.auc), line.positives or 0)
    rng = np.random.default_rng([_SEED, *kind])
    truth = _true(draw(rng, large(line), signal=signal))
    ends: dict[str, dict[str, list[tuple[float, float]]]] = {"after": {}, "before": {}}
    for study in range(studies):
        pair = draw(rng, line, signal=signal)
        bound = [list(measurements(table, threshold=THRESHOLD)) for table in pair]
        _add(ends["after"], _after(pair, bound))
        if before:
            _add(ends["before"], _before(pair[0]["subject_id"], bound, seed=study))
    return {
        "line": line.name,
        "positives": line.positives,
        "truth": truth,
        **{
            when: {name: _counts(rows, truth[name]) for name, rows in found.items()}
            for when, found in ends.items()
        },
    }


def _true(pair: tuple[pd.DataFrame, pd.DataFrame]) -> dict[str, float]:
    ones = np.ones((1, len(pair[0])))
    found = (Resampler(measurements(table, threshold=THRESHOLD))(ones) for table in pair)
    a, b = ({name: float(value[0]) for name, value in one.items()} for one in found)
    return a | {f"{name}, difference": a[name] - b[name] for name in _DIFFERENCES}


def _after(
    pair: tuple[pd.DataFrame, pd.DataFrame], bound: Sequence[Sequence[Measurement]]
) -> Iterator[tuple[str, float | None, float | None]]:
    persons = leave_one_out(pair[0]["subject_id"])
    a, b = (left_out(one, persons) for one in bound)
    for name, found in a.items():
        own = estimate(name, found)
        yield name, own["low"], own["high"]
    for name in _DIFFERENCES:
        if name in a and name in b:
            gap = difference(name, a[name], b[name])
            yield f"{name}, difference", gap["low"], gap["high"]


def _before(
    subjects: "pd.Series[Any]", bound: Sequence[Sequence[Measurement]], *, seed: int
) -> Iterator[tuple[str, float | None, float | None]]:
    weights = np.concatenate(list(subject_weights(subjects, Resampling(RESAMPLES, seed))))
    a, b = (Resampler(one)(weights) for one in bound)
    draws = a | {f"{name}, difference": a[name] - b[name] for name in _DIFFERENCES if name in a}
    for name, values in draws.items():
        low, high, _ = percentile_interval(values)
        yield name, low, high


def _add(
    ends: dict[str, list[tuple[float, float]]], found: Iterator[tuple[str, float | None, float | None]]
) -> None:
    for name, low, high in found:
        if low is not None and high is not None:
            ends.setdefault(name, []).append((low, high))


def _counts(rows: Sequence[tuple[float, float]], truth: float) -> Mapping[str, float]:
    low, high = np.array(rows).T
    return {
        "studies": len(rows),
        "covered": int(((low <= truth) & (truth <= high)).sum()),
        "below": int((truth < low).sum()),
        "above": int((truth > high).sum()),
        "width": float((high - low).mean()),
    }


if __name__ == "__main__":
    sys.exit(run(main))
