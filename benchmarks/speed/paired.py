"""Ways of doing one thing, measured in turn: medians, ratios round by round, and their interval."""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from scipy.stats import binom

from engine.runs.environment import environment

LEVEL = 0.95
Seconds = Callable[[], float]


class Ratio(NamedTuple):
    """The median of ratios and an interval of it that holds whatever their distribution is."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"


def ratio(over: Sequence[float], under: Sequence[float]) -> Ratio:
    """Median of `over / under`, round by round, between two of its order statistics.

    The k-th smallest and the k-th largest of n, for the largest k with P(Binomial(n, 1/2) < k) at most 2.5 %
    on each side (David and Nagaraja 2003, Order Statistics, 7.1); the range where there are fewer than six.

    Examples:
        >>> str(ratio([2.0, 3.0, 4.0], [2.0, 2.0, 2.0]))
        '1.500 [1.000, 2.000]'
    """
    found = sorted(one / other for one, other in zip(over, under, strict=True))
    outside = (1 - LEVEL) / 2
    places = [k for k in range(1, len(found) // 2 + 1) if binom.cdf(k - 1, len(found), 0.5) <= outside]
    place = max(places, default=1)
    return Ratio(median(found), found[place - 1], found[-place])


def in_turn(ways: Mapping[str, Seconds], *, rounds: int, warm: int = 1) -> dict[str, list[float]]:
    """Seconds of every way in every round, one way after the other, so that a busy moment touches all.

    Each round begins with another way: what a way leaves in the caches of the machine favors nobody.

    Args:
        ways: Each does its work once and returns the seconds it took.
        rounds: That count.
        warm: Rounds before, which do not.
    """
    names, found = list(ways), {name: list[float]() for name in ways}
    for number in range(warm + rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            seconds = ways[name]()
            if number >= warm:
                found[name].append(seconds)
    return found


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of a call, of all threads of this process."""
    clock = time.process_time()
    work()
    return time.process_time() - clock


def table(seconds: Mapping[str, Sequence[float]], *, per: int, to: str, unit: str) -> str:
    """Markdown: a row a way with its median and range in ms, and its ratio to the way named `to`.

    Args:
        seconds: Of every round.
        per: Pieces of work in a round.
        to: The way that the others are compared with.
        unit: What a piece is.
    """
    rows = [f"| way | CPU ms a {unit}, median [range] | ratio to {to} |", "|---|---:|---:|"]
    for name, own in seconds.items():
        ms = sorted(1000 * one / per for one in own)
        rows.append(f"| {name} | {median(ms):.2f} [{ms[0]:.2f}, {ms[-1]:.2f}] | {ratio(own, seconds[to])} |")
    return "\n".join(rows) + "\n"


def written(out: Path, name: str, found: Mapping[str, Any]) -> Path:
    """Write what was found beside commit, versions and hardware, as `<name>.json`; the path is shown."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.json"
    command = f"python -m benchmarks.{name} {' '.join(sys.argv[1:])}".strip()
    about = {"command": command, "at": time.strftime("%Y-%m-%d"), "environment": environment()}
    path.write_text(json.dumps(about | dict(found), indent=1, default=str) + "\n", encoding="utf-8")
    sys.stdout.write(f"written to {path}\n")
    return path
