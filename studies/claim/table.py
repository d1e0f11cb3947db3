"""Numbers of the claim study: from the records of its units to lines, paired differences and verdicts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.uncertainty import confidence_intervals
from evaluation.uncertainty.confidence_intervals import Limits
from evaluation.uncertainty.jackknife import LeftOut, leave_one_out, left_out, minus
from evaluation.uncertainty.table_estimates import bind, in_order
from studies.claim.plan import CELLS, CONTRASTS, LINES, MAIN, ORACLE, Cell
from studies.claim.work import PREDICTIONS

FAMILIES = ("statistics", "coordination", "cross_correlation", "rocket")
SCORES = ("last_score", "mean_score")
CALIBRATED_GAIN = 0.15  # AUC over the depression branch where severity is stable: asked before the study
TIE = -0.01  # AUC: no worse than
HABITS_R2 = 0.3  # in the feature of a personality that sees motion alone
_LIMITS: dict[str, Limits] = {  # R² of a probe may lie anywhere below 1
    "auc": confidence_intervals.limits("auc"),
    "habit_r2": (-math.inf, 1.0),
    "seconds": (0.0, math.inf),
}
_GAP = confidence_intervals.limits("auc", difference=True)
STABLE = "levels-0.8-on"
CEILING = "oracle both + earlier scores"  # what a linear reader of the truth makes of the same knowledge


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval; without bounds where nothing says how far to trust it."""

    mean: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        """E.g. `0.731 [0.702, 0.760]`."""
        if self.low is None or self.high is None:
            return f"{self.mean:.3f} [one seed]"
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Verdict:
    """A claim, whether it holds, and the numbers that decided."""

    claim: str
    holds: bool
    found: str


def over_seeds(values: Sequence[float], *, limits: Limits) -> Interval:
    """Mean and Student's t interval over seeds; of paired differences this is the paired interval."""
    return Interval(*confidence_intervals.t_interval(values, limits=limits))


class Results:
    """What the units of a study found: AUC of every line, and predictions to compare them by.

    Args:
        records: of finished units, each with its `folder`.
    """

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self.records = list(records)
        rows: list[dict[str, Any]] = []
        self._files: dict[tuple[str, int, str], Path] = {}
        for record in records:
            ids = {"cell": record["cell"], "seed": record["seed"]}
            if record["variant"] in (ORACLE, LINES):
                prefix = "oracle " if record["variant"] == ORACLE else ""
                rows += [
                    {**ids, "line": f"{prefix}{name}", "auc": auc} for name, auc in record["auc"].items()
                ]
                if not prefix:
                    for name in record["auc"]:
                        self._files[(*ids.values(), name)] = Path(record["folder"]) / f"{name}.csv"
                continue
            extras = {name: record[name] for name in ("habit_r2", "seconds")}
            rows.append({**ids, "line": record["variant"], "auc": record["test_auc"], **extras})
            self._files[(*ids.values(), record["variant"])] = Path(record["folder"]) / PREDICTIONS
        columns = ["cell", "seed", "line", "auc", "habit_r2", "seconds"]
        self.table = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[3:], "float64"))
        if len(bad := self.table[self.table["auc"].isna()]):
            raise ValueError(
                f"no AUC for {bad[columns[:3]].to_dict('records')}: one class in test, take more subjects="
            )

    @property
    def cells(self) -> list[Cell]:
        """The cells with results, in the order of the plan."""
        present = set(self.table["cell"])
        return [cell for name, cell in CELLS.items() if name in present]

    def lines(self, cell: str) -> list[str]:
        """Names of what was measured in a cell, strongest first within networks, lines and oracles."""
        means = self.means(cell)
        kinds = (lambda n: n in _networks(means), lambda n: n not in _networks(means) and not _is_oracle(n))
        ordered = [sorted(filter(kind, means), key=lambda n: -means[n]) for kind in (*kinds, _is_oracle)]
        return [name for part in ordered for name in part]

    def seeds(self, cell: str) -> list[int]:
        """Of the cohorts of a cell."""
        return sorted({int(seed) for seed in self.table.loc[self.table["cell"] == cell, "seed"]})

    def means(self, cell: str) -> dict[str, float]:
        """Mean AUC over seeds by line."""
        part = self.table[self.table["cell"] == cell]
        return {str(line): float(auc) for line, auc in part.groupby("line")["auc"].mean().items()}

    def interval(self, cell: str, line: str, column: str = "auc") -> Interval | None:
        """A number of a line with its interval over seeds."""
        part = self.table[(self.table["cell"] == cell) & (self.table["line"] == line)]
        values = part[column].dropna().tolist()
        return over_seeds(values, limits=_LIMITS[column]) if values else None

    def strongest(self, cell: str, family: str) -> str | None:
        """The reading of a family of lines with the highest mean AUC of the test: what is hardest to beat."""
        means = self.means(cell)
        readings = [name for name in means if name == family or name.startswith(f"{family}, ")]
        return max(readings, key=means.__getitem__, default=None)

    def share(self, cell: str, a: str, *, floor: str, ceiling: str) -> float | None:
        """How far `a` comes from `floor` (0) to `ceiling` (1), of mean AUC; None where one was not run."""
        means = self.means(cell)
        if not {a, floor, ceiling} <= means.keys() or means[ceiling] <= means[floor]:
            return None
        return (means[a] - means[floor]) / (means[ceiling] - means[floor])

    def difference(self, cell: str, a: str, b: str) -> tuple[Interval, Interval] | None:
        """AUC of `a` minus that of `b` on the same recordings, with intervals over seeds and over persons.

        The second takes the trainings as they are: the variance of the mean over seeds is that of the persons
        of each seed, who are different ones, by the jackknife.
        """
        part = self.table[self.table["cell"] == cell].pivot(index="seed", columns="line", values="auc")
        if a not in part or b not in part:
            return None
        seeds = part[[a, b]].dropna().index
        values = (part.loc[seeds, a] - part.loc[seeds, b]).tolist()
        if not values:
            return None
        pairs = [self._left_out(cell, int(seed), a, b) for seed in seeds]
        return over_seeds(values, limits=_GAP), over_persons(pairs)

    def _left_out(self, cell: str, seed: int, a: str, b: str) -> LeftOut:
        tables = [pd.read_csv(self._files[cell, seed, name], dtype={"subject_id": str}) for name in (a, b)]
        first, second = (_auc(table) for table in in_order(tables))
        return minus(first, second)


def over_persons(pairs: Sequence[LeftOut]) -> Interval:
    """Mean of independent differences in AUC with its interval over the persons of all of them."""
    mean = math.fsum(one.value for one in pairs) / len(pairs)
    spreads = [spread for one in pairs if (spread := one.spread()) is not None]
    squares = [spread.error**2 for spread in spreads]
    if len(spreads) < len(pairs) or not any(squares):
        return Interval(mean, None, None)
    df = sum(squares) ** 2 / sum(s**2 / spread.df for s, spread in zip(squares, spreads, strict=True))
    error = math.sqrt(sum(squares)) / len(pairs)
    ends = confidence_intervals.interval(mean, error, df, "difference")
    return Interval(mean, *confidence_intervals.within(ends, _GAP))


def _auc(table: pd.DataFrame) -> LeftOut:
    bound = bind([table])[0]
    return left_out([bound["auc"]], leave_one_out(table["subject_id"]))["auc"]


def _is_oracle(name: str) -> bool:
    return name.startswith("oracle ")


def _networks(means: Mapping[str, float]) -> list[str]:
    return [name for name in (*MAIN, *CONTRASTS, "mmp_off", "motion_only") if name in means]
