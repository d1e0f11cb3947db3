"""Power and false positives of the group comparison: `python -m studies.group_differences`.

Every cohort is drawn from the latent model, one visit a person, and compared with itself twice: with its own
groups, where the channels that severity moves should be found, and with the groups permuted between the
persons, where nothing should. Significant is a p-value below 0.05 after Holm over all channels.
"""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from biomarkers.features.statistics import SummaryStatistics
from biomarkers.groups.comparison import group_tests
from biomarkers.groups.false_positives import ALPHA, TESTS, NullRate, rate_of
from datamodules.command_line import run
from datamodules.series import Series
from datamodules.synthetic.behavior import behave
from datamodules.synthetic.latent import CHANNELS, LatentSettings, draw_cohort
from engine.runs.processor import processor

FPS, SECONDS = 10.0, 8.0
PERSONS = (120, 240)  # of a cohort, drawn evenly
MOVED = ("au01", "au04", "au06", "au12", "au15", "gaze_y", "pose_pitch")  # by severity, docs/guide/cohort.md
QUICKENED = ("au45",)  # its level stays, its blinks come more often with severity
CORRECTED = ("welch_p_holm", "u_p_holm")
NAMES = {
    "welch_p_holm": "Welch, Holm",
    "u_p_holm": "Mann-Whitney, Holm",
    "welch_p": "Welch, uncorrected",
    "u_p": "Mann-Whitney, uncorrected",
}
PAGE = Path("docs/results/group_differences.md")

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass
class Counts:
    """In how many cohorts something was significant, by test."""

    cohorts: int = 0
    under_null: Counter[str] = field(default_factory=Counter)
    unmoved: Counter[str] = field(default_factory=Counter)
    channels: dict[str, Counter[str]] = field(default_factory=lambda: {test: Counter() for test in TESTS})


def main(*, cohorts: int = 200, seed: int = 0, page: Path = PAGE) -> None:
    """Draw, compare, count, and write the page.

    Args:
        cohorts: How many are drawn.
        seed: Of the first cohort; the others follow.
        page: Markdown.
    """
    began = time.process_time()
    counts = measure(cohorts=cohorts, seed=seed)
    minutes = (time.process_time() - began) / 60
    command = f"python -m studies.group_differences cohorts={cohorts} seed={seed}"
    text = written(counts, command=command, day=f"{datetime.now(UTC):%Y-%m-%d}", minutes=minutes)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def measure(*, cohorts: int, seed: int) -> Counts:
    """Compare every cohort with its own groups and with permuted ones."""
    counts = Counts()
    known = {*MOVED, *QUICKENED}
    for number in tqdm(range(seed, seed + cohorts), desc="Cohorts", unit="cohort"):
        values, depressed = draw(number)
        rng = np.random.default_rng([number, 1])
        own, permuted = group_tests(values, depressed), group_tests(values, rng.permutation(depressed))
        counts.cohorts += 1
        for test in TESTS:
            counts.under_null[test] += bool((permuted[test] < ALPHA).any())
            found = {CHANNELS[row] for row in np.flatnonzero(own[test] < ALPHA)}
            counts.unmoved[test] += bool(found - known)
            counts.channels[test].update(found)
    return counts


def draw(number: int) -> tuple[Array, Flags]:
    """Means of all channels (S, C) of a cohort, and whether a person's severity is above the average (S,)."""
    persons = int(np.random.default_rng([number, 0]).integers(PERSONS[0], PERSONS[1] + 1))
    settings = LatentSettings(
        persons, 1, FPS, SECONDS, confound=1.0, habit_visibility=0.1, seed=1_000_000 + number
    )
    extractor = SummaryStatistics(channels=CHANNELS)
    rows, depressed = [], []
    for visit in draw_cohort(settings):
        values = behave(visit, settings)
        series = Series(values=values, channels=CHANNELS, valid=np.ones(len(values), bool), fps=FPS)
        measured = extractor.measure(series, recording=visit.person.subject_id).values
        rows.append([measured[f"{name}_mean"] for name in CHANNELS])
        depressed.append(visit.severity > 0)
    return np.array(rows), np.array(depressed)


def written(counts: Counts, *, command: str, day: str, minutes: float) -> str:
    """The page in Markdown."""
    n, low, high = counts.cohorts, *PERSONS
    moved, unmoved = rates(counts, "welch_p_holm")
    return f"""# Group differences: found where they are, not found where they are not

`{command}` on {day}, {minutes:.1f} CPU minutes, one core of {processor()}.

{n} cohorts of {low} to {high} persons from the latent model of [cohort.md](../guide/cohort.md): one visit a
person, {SECONDS:g} s at {FPS:g} frames/s, `confound` 1, depressed means a severity above the average.
Features are the means of the {len(CHANNELS)} channels; significant is p < {ALPHA:g}.
Intervals are Wilson's, 95 %, over cohorts.

## Nothing to find: groups permuted between the persons

{_table([("Test", "Cohorts with any false finding"), *_rows(counts.under_null, TESTS, n)])}

The corrected tests promise at most {ALPHA:.0%}. {_kept(counts)}

## Something to find: the cohorts' own groups

Severity moves the level of {len(MOVED)} channels, and {", ".join(QUICKENED)} through the rate of blinks.
It leaves {len(unmoved)} alone.

{_table([("Test", "Cohorts with an unmoved channel called"), *_rows(counts.unmoved, CORRECTED, n)])}

Welch's test after Holm, channel by channel:

{_table([("Channel that severity moves", "Found"), *moved])}

{_table([("Channel that severity leaves alone", "Called"), *unmoved])}

What this does not say: effects and spreads of the cohort are our choice, so the rates of detection describe
this design and these numbers of persons, not patients.
"""


def rates(counts: Counts, test: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Rows of the channels that severity moves, and of those it leaves alone."""
    known = (*MOVED, *QUICKENED)
    own = counts.channels[test]
    shown = {name: _shown(rate_of(own[name], counts.cohorts)) for name in CHANNELS}
    return [(name, shown[name]) for name in known], [(n, s) for n, s in shown.items() if n not in known]


def _kept(counts: Counts) -> str:
    broken = [NAMES[t] for t in CORRECTED if rate_of(counts.under_null[t], counts.cohorts).low > ALPHA]
    return f"{' and '.join(broken)} breaks it." if broken else "Both keep it within the interval."


def _rows(found: Counter[str], tests: Sequence[str], cohorts: int) -> list[tuple[str, str]]:
    return [(NAMES[test], _shown(rate_of(found[test], cohorts))) for test in tests]


def _shown(rate: NullRate) -> str:
    return f"{rate.rate:.1%} ({rate.low:.1%} to {rate.high:.1%})"


def _table(rows: Sequence[tuple[str, str]]) -> str:
    head, *body = rows
    return "\n".join(f"| {a} | {b} |" for a, b in [head, ("---", "---:"), *body])


if __name__ == "__main__":
    sys.exit(run(main))
