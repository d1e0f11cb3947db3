"""The overrides of a sweep read as a search space, in the words of Hydra's own sweeps."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from datamodules.commands import typed
from engine.config.compose import ConfigError
from engine.config.short_keys import SHORT

_SEED = "seed"
_HOW = "as in 'lr=tag(log, interval(1e-4, 1e-2))', width=32,64 or 'epochs=range(5, 20, 5)'"
_OWN = ("evaluation.test", "resume", "ckpt_path")  # of each trial, and given to it by the sweep


@dataclass(frozen=True)
class Space:
    """What all trials share, and what is searched.

    Attributes:
        fixed: Overrides that every trial has.
        dimensions: The searched keys and where their values come from.
        points: The values of a key that has finitely many, as they are written; a grid is made of them.
        seeds: Under each of which a trial is trained; its value is the mean over them.
        written: The searched keys with what was typed, `seed` among them.
    """

    fixed: tuple[str, ...]
    dimensions: Mapping[str, BaseDistribution]
    points: Mapping[str, tuple[str, ...]]
    seeds: tuple[int, ...] = ()
    written: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Points of the grid."""
        return prod(len(values) for values in self.points.values())

    def overrides(self, params: Mapping[str, Any], *, seed: int | None = None) -> list[str]:
        """The command line of one run of a trial."""
        own = [f"{name}={params[name]}" for name in self.dimensions]
        return [*self.fixed, *own, *([] if seed is None else [f"{_SEED}={seed}"])]


def read_space(overrides: Sequence[str], *, grid: bool = False) -> Space:
    """Read overrides; of two of one key the later one holds.

    Args:
        overrides: As typed behind `sweep.py`, without the settings of the sweep itself.
        grid: Take every value as one of a list, without order.

    Raises:
        ConfigError: Nothing is searched; a grid has a range without steps; a key is given twice under two
            names; seeds are no whole numbers; or a setting is one that the sweep gives itself.
    """
    parsed = {one.get_key_element(): one for one in OverridesParser.create().parse_overrides(list(overrides))}
    _check_names(parsed)
    fixed, dimensions, points, written = [], {}, {}, {}
    seeds: tuple[int, ...] = ()
    for name, one in parsed.items():
        if not one.is_sweep_override():
            fixed.append(str(one.input_line))
            continue
        if re.split(r"[./@]", name.lstrip("+"))[0] == "protocol":
            raise ConfigError(
                f"{one.input_line}: trials of other splits validate other persons, so that values do not "
                "compare and the easiest persons win. Fix protocol; seed=0,1,2 trains each trial under all"
            )
        written[name] = str(one.input_line).partition("=")[2]
        if name.lstrip("+") == _SEED:
            seeds = _seeds(one)
            continue
        if isinstance(one.value(), IntervalSweep):
            if grid:
                raise ConfigError(
                    f"{one.input_line}: a grid needs values, not an interval. Write them, as in width=32,64, "
                    "or choose sampler=random"
                )
        else:
            points[name] = _values(one)
        dimensions[name] = _distribution(one, grid=grid)
    if not dimensions:
        raise ConfigError(
            f"nothing is searched: give a setting more than one value, {_HOW}. For seeds alone there is "
            f"{typed('train')} sweep=seeds"
        )
    return Space(tuple(fixed), dimensions, points, seeds, written)


def _check_names(parsed: Collection[str]) -> None:
    given = Counter(name.lstrip("+") for name in parsed)
    if twice := [name for name, count in given.items() if count > 1]:
        raise ConfigError(f"{twice[0]}: is given twice, with and without +. Give it once")
    for name in _OWN:
        if name in given:
            raise ConfigError(
                f"{name}: each trial of a sweep has its own, which the sweep gives it. Leave it out"
            )
    for short, long in SHORT["train"].items():
        if {short, long} <= given.keys():
            raise ConfigError(f"{short}= and {long}=: {short} is short for {long}. Give one of them.")


def _values(one: Override) -> tuple[str, ...]:
    """The values as they are written on a command line, each once."""
    try:
        return tuple(dict.fromkeys(str(value) for value in one.sweep_string_iterator()))
    except Exception as error:
        raise ConfigError(
            f"{one.input_line}: its values cannot be listed ({error}). Name them: a,b,c"
        ) from error


def _seeds(one: Override) -> tuple[int, ...]:
    try:
        return tuple(int(value) for value in _values(one))
    except (ConfigError, ValueError) as error:
        raise ConfigError(f"{one.input_line}: seeds are whole numbers, as in seed=0,1,2") from error


def _distribution(one: Override, *, grid: bool) -> BaseDistribution:
    value: Any = one.value()
    log = "log" in getattr(value, "tags", ())
    try:
        if isinstance(value, IntervalSweep):
            ends: list[Any] = [value.start, value.end]
            whole = all(isinstance(end, int) for end in ends)
            kind = IntDistribution if whole else FloatDistribution
            return kind(*ends, log=log)
        steps = list(value.range()) if isinstance(value, RangeSweep) and not value.shuffle else []
        if (
            not grid
            and len(steps) > 1
            and all(isinstance(step, int) for step in steps)
            and steps[0] < steps[-1]
        ):
            width = steps[1] - steps[0]
            return IntDistribution(steps[0], steps[-1], log=log, step=1 if log else width)
    except ValueError as error:
        raise ConfigError(f"{one.input_line}: {error}") from error
    return CategoricalDistribution(_values(one))
