"""What was claimed before the study, held against its numbers."""

from collections.abc import Iterable

from studies.claim.plan import CONTRASTS, Cell
from studies.claim.table import (
    CALIBRATED_GAIN,
    FAMILIES,
    HABITS_R2,
    SCORES,
    STABLE,
    TIE,
    Interval,
    Results,
    Verdict,
)


def verdicts(results: Results) -> list[Verdict]:
    """Every claim that the results allow to judge; what was not run cannot be claimed and is left out."""
    found: list[Verdict] = []
    for cell in results.cells:
        found += _levels(results, cell) if cell.movement == 0 else _movement(results, cell)
    return [*_calibrated(results), *found]


def _calibrated(results: Results) -> Iterable[Verdict]:
    gain = results.difference(STABLE, "calibrated", "depression_branch")
    if gain is not None:
        claim = f"{STABLE}: calibrated beats the depression branch by at least {CALIBRATED_GAIN:.2f} AUC"
        yield Verdict(claim, gain[0].mean >= CALIBRATED_GAIN, _told(gain))
    means = results.means(STABLE)
    score = max((name for name in SCORES if name in means), key=means.__getitem__, default=None)
    beaten = None if score is None else results.difference(STABLE, "calibrated", score)
    if beaten is not None:
        claim = f"{STABLE}: calibrated beats {score}, the stronger of the two lines of earlier scores"
        yield Verdict(claim, _above(beaten[1]), _told(beaten))


def _levels(results: Results, cell: Cell) -> Iterable[Verdict]:
    yield from _no_worse(results, cell, "enrolment", "depression_branch")
    if (line := results.strongest(cell.name, "statistics")) is not None:
        yield from _no_worse(results, cell, "enrolment", line)


def _movement(results: Results, cell: Cell) -> Iterable[Verdict]:
    for family in FAMILIES:
        line = results.strongest(cell.name, family)
        if line is None:
            continue
        if family == "statistics":
            yield from _better(results, cell, "enrolment", line)
        else:
            yield from _no_worse(results, cell, "enrolment", line)
    yield from _better(results, cell, "enrolment", "mmp_off")
    yield from _better(results, cell, "motion_only", "depression_branch")
    habits = results.interval(cell.name, "motion_only", "habit_r2")
    if habits is not None:
        claim = f"{cell.name}: the motion-only feature holds the habits, probe R² above {HABITS_R2}"
        yield Verdict(claim, habits.mean > HABITS_R2, str(habits))
    for contrast in CONTRASTS:
        if contrast == "no_contrast":
            yield from _better(results, cell, "enrolment", contrast)
        else:
            yield from _better(results, cell, contrast, "no_contrast")


def _no_worse(results: Results, cell: Cell, a: str, b: str) -> Iterable[Verdict]:
    found = results.difference(cell.name, a, b)
    if found is not None:
        claim = f"{cell.name}: {a} is not below {b} by more than {-TIE:.2f} AUC on average"
        yield Verdict(claim, found[0].mean >= TIE, _told(found))


def _better(results: Results, cell: Cell, a: str, b: str) -> Iterable[Verdict]:
    found = results.difference(cell.name, a, b)
    if found is not None:
        yield Verdict(f"{cell.name}: {a} beats {b}", _above(found[1]), _told(found))


def _above(interval: Interval) -> bool:
    return interval.low is not None and interval.low > 0


def _told(found: tuple[Interval, Interval]) -> str:
    seeds, persons = found
    return f"{persons} over persons, {seeds} over seeds"
