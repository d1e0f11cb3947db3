r"""Delete-one-person jackknife: the standard error of a metric, and its degrees of freedom.

With \theta_{(s)} the metric without person s and \bar\theta the mean of these over the S persons,

    u_s = \theta_{(s)} - \bar\theta,    v = (S - 1)/S \sum_s u_s^2

estimates the variance of the metric (Efron and Tibshirani 1993, chapter 11); with few persons it is rather
too large than too small (Efron and Stein, Annals of Statistics 1981), where the bootstrap is too small. All
recordings of a person leave together, so that they need not be independent. Where persons are nested in
groups (`evaluation.tables.clusters`), whole groups leave in their place, and S counts groups.

How well v itself is known follows from its fourth moment (Satterthwaite, Biometrics Bulletin 1946):

    df = 2 / (\sum u^4 / (\sum u^2)^2 - 1/S),    between 5 and S - 1

which is S - 1 for u that are as even as those of a normal sample, and few where few persons carry the metric,
as the positive ones of a rare class do. Letters: `N` recordings, `S` persons.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.metrics.applicable import Measurement, Resampler, subject_codes
from evaluation.tables.clusters import PERSONS, unit_of, units

Array = NDArray[np.float64]

_BLOCK = 4_000_000  # weights held at once, 32 MB: our choice
_FLAT = 1e-10  # relative: below it the values without a person differ by rounding only (our choice)
_MIN_DF = 5.0  # our choice: fewer widen intervals and did not raise coverage (docs/results/coverage.md)


class Spread(NamedTuple):
    """Standard error and degrees of freedom; `flat` where leaving out anybody changes nothing."""

    error: float
    df: float
    flat: bool


class LeftOut(NamedTuple):
    """A metric, and the metric without each person.

    Attributes:
        value: On all persons.
        values: Without each person (S,), NaN where it is then undefined.
        persons: Which persons (S,) have recordings in it.
        fewest: Persons of the smallest class that the metric needs.
        unit: What left in turn, in words: persons, or groups of them.
    """

    value: float
    values: Array
    persons: NDArray[np.bool_]
    fewest: int
    unit: str = PERSONS

    def spread(self) -> Spread | None:
        """The jackknife's standard error; None where it is not defined without some person."""
        u = self.values[self.persons]
        # where one person alone makes the metric defined, that person's influence cannot be measured
        if u.size < 2 or not np.isfinite(u).all():
            return None
        u = u - u.mean()
        unit = 2.0 ** float(np.frexp(np.abs(u).max())[1])  # a power of two: exact, and powers stay in range
        u = u / unit
        squares = float(u @ u)
        error = unit * float(np.sqrt((u.size - 1) / u.size * squares))
        if error <= _FLAT * max(1.0, abs(self.value)):
            return Spread(0.0, u.size - 1.0, flat=True)
        excess = float((u**4).sum()) / squares**2 - 1 / u.size
        # more even than a normal sample: nothing speaks for fewer than all S - 1 degrees of freedom
        df = max(2 / excess, _MIN_DF) if excess > 0 else np.inf
        return Spread(error, min(df, u.size - 1.0), flat=False)


class LeaveOneOut(NamedTuple):
    """Which recordings leave a table together: those of one person.

    Attributes:
        codes: Person (N,) of each recording, from 0.
        total: Number of persons S.
        unit: What they are, in words: persons, or groups of them.
    """

    codes: NDArray[np.int64]
    total: int
    unit: str = PERSONS

    def part(self, rows: NDArray[np.bool_]) -> "LeaveOneOut":
        """The same for some recordings of the table; persons keep their numbers."""
        return LeaveOneOut(self.codes[rows], self.total, self.unit)

    def among(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which persons (S,) have one of these recordings, by mask (N,) or number."""
        present: NDArray[np.bool_] = np.bincount(self.codes[rows], minlength=self.total) > 0
        return present

    def weights(self) -> Iterator[Array]:
        """Blocks of the weights (S, N): row s is 0 for the recordings of person s and 1 for all others."""
        step = max(1, _BLOCK // max(1, self.codes.size))
        for first in range(0, self.total, step):
            persons = np.arange(first, min(first + step, self.total))
            yield (persons[:, None] != self.codes).astype(np.float64)


def leave_one_out(subjects: Iterable[object], unit: str = PERSONS) -> LeaveOneOut:
    """The persons of a table, by the subject (N,) of each recording."""
    codes = subject_codes(subjects)
    return LeaveOneOut(codes, int(codes.max()) + 1, unit)


def leave_out_of(table: pd.DataFrame) -> LeaveOneOut:
    """What leaves a recording table in turn: its groups where it names them, else its persons."""
    return leave_one_out(units(table), unit_of(table))


def left_out(bound: Iterable[Measurement], persons: LeaveOneOut) -> dict[str, LeftOut]:
    """The metrics of one table that have a value and a resampled form, without each person.

    Args:
        bound: Metrics of the table.
        persons: Of its recordings, from `leave_one_out`.
    """
    known = [(m, value) for m in bound if m.metric.resampled and (value := m.value().value) is not None]
    resampler = Resampler(m for m, _ in known)
    blocks = [resampler(weights) for weights in persons.weights()]
    out: dict[str, LeftOut] = {}
    for m, value in known:
        values = np.concatenate([block[m.name] for block in blocks])
        # those without a row in this metric change nothing by leaving, and must not count as persons of it
        measured = persons.among(m.rows)
        rows = np.flatnonzero(m.rows)
        classes = [persons.among(rows[m.target == label]) for label in m.metric.classes]
        fewest = min((int(own.sum()) for own in classes), default=int(measured.sum()))
        out[m.name] = LeftOut(value, values, measured, fewest, persons.unit)
    return out


def left_out_mean(values: Array, persons: LeaveOneOut) -> LeftOut:
    """The mean of a value per recording (N,), as the share of right answers is, without each person."""
    sums, counts = (np.bincount(persons.codes, own, persons.total) for own in (values, np.ones(values.size)))
    without = (values.sum() - sums) / (values.size - counts)
    everybody = np.ones(persons.total, dtype=np.bool_)
    return LeftOut(float(values.mean()), without, everybody, persons.total, persons.unit)


def minus(a: LeftOut, b: LeftOut) -> LeftOut:
    """The difference of two metrics over the same persons."""
    both, fewest = a.persons | b.persons, min(a.fewest, b.fewest)
    return LeftOut(a.value - b.value, a.values - b.values, both, fewest, a.unit)


def mean(parts: Sequence[LeftOut]) -> LeftOut:
    """The mean of a metric over several tables of the same persons."""
    return LeftOut(
        float(np.mean([part.value for part in parts])),
        np.mean([part.values for part in parts], axis=0),
        np.any([part.persons for part in parts], axis=0),
        min(part.fewest for part in parts),
        parts[0].unit,
    )
