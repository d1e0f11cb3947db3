"""Symptom discrepancy of a table of real answers: `python -m studies.discrepancy.answers answers.csv.gz`.

One row a person, one column an item, nothing else. Index, interval and null are computed on a quarter, half
and all of the persons, with CPU time and the memory that the computation adds at its peak, to see that both
grow linearly. The answers stay where they are; only the report is written.
"""

import os
import platform
import sys
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from biomarkers.symptoms.discrepancy import SymptomDiscrepancy
from biomarkers.symptoms.discrepancy_uncertainty import Null, interval, null
from biomarkers.symptoms.reliability import alpha, omega
from datamodules.command_line import run
from evaluation.uncertainty.bootstrap import Estimate, Resampling

_PARTS = (4, 2, 1)
_ESTIMATOR = SymptomDiscrepancy()


@dataclass(frozen=True, kw_only=True)
class Part:
    """Results and costs of the computation on a share of the persons."""

    persons: int
    found: Estimate
    shuffled: Null
    interval_s: float
    null_s: float
    interval_mb: float
    null_mb: float


def main(
    answers: Path,
    *,
    about: str = "answers",
    lowest: int = 1,
    n_boot: int = 1000,
    draws: int = 199,
    out: Path = Path("docs/results/discrepancy_answers.md"),
) -> None:
    """Measure and write the report.

    Args:
        answers: CSV, one row a person, one column an item.
        about: What was asked, and where the answers are from.
        lowest: Code of the lowest answer, subtracted.
        n_boot: Resamples of persons.
        draws: Shuffles of the null.
        out: Markdown.
    """
    items = read_answers(answers, lowest=lowest)
    order = np.random.default_rng(0).permutation(len(items))
    parts = []
    for share in _PARTS:
        parts.append(measure(items.iloc[order[: len(items) // share]], n_boot, draws))
        sys.stdout.write(f"{parts[-1].persons} persons: {parts[-1].found}\n")
    command = (
        f'python -m studies.discrepancy.answers <answers.csv> about="{about}" lowest={lowest} '
        f"n_boot={n_boot} draws={draws}"
    )
    out.write_text(report(items, parts, about=about, command=command), encoding="utf-8")


def read_answers(path: Path, *, lowest: int) -> pd.DataFrame:
    """Answers (N, J) from 0.

    Raises:
        ValueError: An answer is missing, no whole number, or below the lowest.
    """
    items = pd.read_csv(path) - lowest
    values = items.to_numpy(dtype=np.float64)
    if (bad := ~(np.isfinite(values) & (values >= 0) & (values == np.floor(values)))).any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            f"{path}: row {row + 1}, {items.columns[column]} is {values[row, column] + lowest:g}; answers "
            f"are whole numbers from {lowest}: leave out incomplete rows, or give the lowest code by lowest="
        )
    return items.astype(np.float64)


def measure(items: pd.DataFrame, n_boot: int, draws: int) -> Part:
    """Index, interval and null of answers, with CPU seconds and the peak of what they allocate."""
    tracemalloc.start()  # the few large arrays of numpy cost no time to trace
    start = time.process_time()
    found = interval(items, _ESTIMATOR, Resampling(n_boot))
    middle, interval_peak = time.process_time(), tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    shuffled = null(items, _ESTIMATOR, draws=draws)
    end, null_peak = time.process_time(), tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Part(
        persons=len(items),
        found=found,
        shuffled=shuffled,
        interval_s=middle - start,
        null_s=end - middle,
        interval_mb=interval_peak / 1e6,
        null_mb=null_peak / 1e6,
    )


def report(items: pd.DataFrame, parts: Sequence[Part], *, about: str, command: str) -> str:
    """The page, Markdown."""
    covariance = np.cov(items.to_numpy(), rowvar=False)
    lines = [
        "# Symptom discrepancy of real answers",
        "",
        f"{len(items)} persons, {items.shape[1]} items ({about}); coefficient alpha "
        f"{alpha(covariance):.3f}, omega {omega(covariance):.3f}. Persons of the same total "
        "are one group; distances are min-max normalized over everybody, as the index is defined, so "
        "that it changes with who happens to be the most distant "
        "person. The null shuffles answers between persons of the same total and keeps how common each "
        "answer is at every total; its values are in the units of the data.",
        "",
        "| Persons | SDI | 95 % interval | Null | Effect | p "
        "| Interval, s | Null, s | Interval, MB | Null, MB |",
        "|---:|---:|---|---|---:|---:|---:|---:|---:|---:|",
        *(_row(part) for part in parts),
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, numpy {np.__version__}: seconds are CPU time of one thread, memory is "
        "the peak of what is allocated. The bootstrap draws its weights in blocks of a fixed size, which "
        "hide the rest of its memory.",
        "",
        "```bash",
        command,
        "```",
        "",
        "| Total | Persons | Mean discrepancy | Null | 95 % of shuffles |",
        "|---:|---:|---:|---:|---|",
        *(
            f"| {row['group']:g} | {row['n']} | {row['observed']:.3f} | {row['expected']:.3f} "
            f"| {row['low']:.3f} to {row['high']:.3f} |"
            for row in parts[-1].shuffled.groups.to_dict("records")
        ),
        "",
        "Shuffled within totals, answers keep the mean squared distance at every total. What the index "
        "exceeds the null by is how unequally persons differ from their group, the mark of profiles beyond "
        "chance; the rest, the arch of the curve and its zeros at both ends are what totals and frequencies "
        "imply. Resamples often miss the most distant person, whose distance is the unit, so that the "
        "interval lies more above the value than below.",
        "",
    ]
    return "\n".join(lines)


def _row(part: Part) -> str:
    found, shuffled = part.found, part.shuffled
    return (
        f"| {part.persons} | {found['value']:.3f} | {found['low']:.3f} to {found['high']:.3f} "
        f"| {shuffled.mean:.3f} ± {shuffled.spread:.4f} | {shuffled.effect:.1f} | {shuffled.p_value:.3f} "
        f"| {part.interval_s:.1f} | {part.null_s:.1f} | {part.interval_mb:.0f} | {part.null_mb:.0f} |"
    )


if __name__ == "__main__":
    sys.exit(run(main))
